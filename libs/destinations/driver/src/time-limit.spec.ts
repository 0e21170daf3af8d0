import { withinTime } from './time-limit';

/** Ends, with an error of its own, when it is told to. */
const endless = (limit: AbortSignal): Promise<never> =>
  new Promise((_, reject) => limit.addEventListener('abort', () => reject(new Error('socket hang up'))));

describe('withinTime', () => {
  it('ends a request that does not end, and calls it a timeout whatever it died of', async () => {
    await expect(withinTime(1, endless)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('passes on what a request gives or throws in time, and leaves it alone afterwards', async () => {
    const signals: AbortSignal[] = [];
    const noted = async (limit: AbortSignal): Promise<string> => {
      signals.push(limit);
      return 'answer';
    };
    await expect(withinTime(5, noted)).resolves.toBe('answer');
    const failure = new Error('refused');
    await expect(withinTime(60_000, () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(withinTime(10, endless)).rejects.toThrow();
    // A later limit has passed by now: the first request's would have as well.
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});
