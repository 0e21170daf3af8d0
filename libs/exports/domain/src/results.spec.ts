import { DEFAULT_RETRY_SCHEDULE, retryDelaySeconds } from './results';

describe('retry delay', () => {
  const schedule = { maxTries: 5, baseSeconds: 10, capSeconds: 30 };

  it('doubles up to the cap, from the upper half', () => {
    expect([1, 2, 3, 4].map((tries) => retryDelaySeconds(schedule, tries, 0))).toEqual([5, 10, 15, 15]);
    expect([1, 2, 3, 4].map((tries) => retryDelaySeconds(schedule, tries, 0.5))).toEqual([7.5, 15, 22.5, 22.5]);
  });

  it('ends', () => {
    expect(retryDelaySeconds(schedule, 5, 0)).toBeUndefined();
    expect(retryDelaySeconds(schedule, 6, 0)).toBeUndefined();
  });

  it('gives up within a day by default', () => {
    let seconds = 0;
    for (let tries = 1; tries < DEFAULT_RETRY_SCHEDULE.maxTries; tries += 1) {
      seconds += retryDelaySeconds(DEFAULT_RETRY_SCHEDULE, tries, 0.999) ?? 0;
    }
    expect(seconds).toBeLessThan(86_400 / 2);
  });
});
