import { ClaimWatch } from './claim-watch';

const run = (id: string, attempt = 0) => ({ organizationId: 'acme', id, attempt });

describe('ClaimWatch', () => {
  let now = 0;
  const watch = new ClaimWatch(120, () => now);
  const lookAt = (seconds: number, candidate?: ReturnType<typeof run>) => {
    now = seconds * 1000;
    return watch.look(candidate);
  };

  it('tells of one run that lies at every look, and of nothing else', () => {
    expect([lookAt(0, run('a')), lookAt(119, run('a'))]).toEqual([undefined, undefined]);
    expect(lookAt(120, run('a'))).toMatch('Run a could have been claimed for 120 s');
    expect([lookAt(121, run('b')), lookAt(200, run('b', 1)), lookAt(310, run('b', 1))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([lookAt(315), lookAt(320, run('b', 1))]).toEqual([undefined, undefined]);
  });
});
