import { WaitingTime } from './waiting-time';

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000);

describe('WaitingTime', () => {
  it('counts from the last recorded message while there is a backlog', () => {
    const waiting = new WaitingTime(at(1000));
    expect(waiting.seconds(500n, at(10), at(1000))).toBe(990);
    expect(waiting.seconds(400n, at(400), at(1001))).toBe(601);
    expect(waiting.seconds(0n, at(1002), at(1002))).toBe(0);
  });

  it('does not take a quiet night for a delay', () => {
    const waiting = new WaitingTime(at(0));
    expect(waiting.seconds(0n, at(0), at(30_000))).toBe(0);
    expect(waiting.seconds(1n, at(0), at(30_005))).toBe(5);
    expect(waiting.seconds(1n, at(0), at(30_300))).toBe(300);
  });

  it('counts from its own begin where nothing was ever recorded, and never below zero', () => {
    expect(new WaitingTime(at(100)).seconds(1n, undefined, at(130))).toBe(30);
    expect(new WaitingTime(at(100)).seconds(1n, at(200), at(130))).toBe(0);
  });
});
