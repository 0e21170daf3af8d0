import { PoolWatch } from './pool-watch';

describe('PoolWatch', () => {
  let now = 0;
  let state = { busy: 2, idle: 0, waiting: 1, limit: 2 };
  const watch = new PoolWatch(
    () => state,
    10,
    () => now,
  );
  const lookAt = (seconds: number, waiting: number) => {
    now = seconds * 1000;
    state = { ...state, waiting };
    watch.look();
    return watch.fault();
  };

  it('tells that callers have waited at every look for the whole time, and only then', () => {
    expect([lookAt(0, 1), lookAt(9, 3)]).toEqual([undefined, undefined]);
    expect(lookAt(11, 3)).toBe('All 2 connections to Postgres have been in use for 11 s; callers that wait: 3.');
    expect([lookAt(12, 0), lookAt(13, 1), lookAt(22, 1)]).toEqual([undefined, undefined, undefined]);
    expect(lookAt(23, 1)).toMatch('10 s');
  });

  it('is silent while connections are being made', () => {
    state = { busy: 1, idle: 0, waiting: 1, limit: 2 };
    expect([lookAt(100, 1), lookAt(200, 1)]).toEqual([undefined, undefined]);
  });
});
