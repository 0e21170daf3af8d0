import { Partitions } from './partitions';

describe('Partitions', () => {
  let fetched: Set<string>;
  let partitions: Partitions;

  beforeEach(() => {
    jest.useFakeTimers();
    fetched = new Set();
    partitions = new Partitions({
      pause: ({ topic, partition }) => fetched.delete(`${topic} ${partition}`),
      resume: ({ topic, partition }) => fetched.add(`${topic} ${partition}`),
    });
    partitions.assign([0, 1].map((partition) => ({ topic: 't', partition })));
  });

  afterEach(() => jest.useRealTimers());

  it('fetches all that is assigned', () => {
    expect([...fetched]).toEqual(['t 0', 't 1']);
    expect(partitions.isPaused('t', 0)).toBe(false);
    expect(partitions.isPaused('t', 2)).toBe(true);
  });

  it('leaves out a partition whose batch failed, longer each time, until one succeeds', () => {
    const restAfterFailure = () => {
      partitions.failed('t', 0);
      const begun = Date.now();
      while (partitions.isPaused('t', 0)) jest.advanceTimersByTime(10);
      return Date.now() - begun;
    };
    const rests = [restAfterFailure(), restAfterFailure(), restAfterFailure(), restAfterFailure()];
    rests.forEach((rest, i) => expect(rest).toBeLessThanOrEqual(100 * 2 ** i + 10));
    rests.forEach((rest, i) => expect(rest).toBeGreaterThanOrEqual(50 * 2 ** i));
    for (let i = 0; i < 20; i += 1) expect(restAfterFailure()).toBeLessThanOrEqual(10_010);
    partitions.succeeded('t', 0);
    expect(restAfterFailure()).toBeLessThanOrEqual(110);
    expect(fetched.has('t 1')).toBe(true);
  });

  it('does not resume what the owner paused when the rest after a failure is over', () => {
    partitions.failed('t', 0);
    partitions.pause('t', 0);
    jest.advanceTimersByTime(60_000);
    expect(fetched.has('t 0')).toBe(false);
    partitions.resume('t', 0);
    expect(fetched.has('t 0')).toBe(true);
  });

  it('does not cut the rest after a failure short when the owner resumes', () => {
    partitions.failed('t', 0);
    partitions.resume('t', 0);
    expect(partitions.isPaused('t', 0)).toBe(true);
    jest.advanceTimersByTime(100);
    expect(partitions.isPaused('t', 0)).toBe(false);
  });

  it('forgets pauses and failures with a new assignment, and names what is gone', () => {
    partitions.pause('t', 0);
    partitions.failed('t', 1);
    expect(
      partitions.assign([
        { topic: 't', partition: 0 },
        { topic: 't', partition: 2 },
      ]),
    ).toEqual([{ topic: 't', partition: 1 }]);
    expect([...fetched].sort()).toEqual(['t 0', 't 2']);
    jest.advanceTimersByTime(60_000);
    expect([...fetched].sort()).toEqual(['t 0', 't 2']);
  });
});
