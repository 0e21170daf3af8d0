import { DestinationError, type DestinationErrorCode } from './errors';
import { withRetries, type RetryEvent } from './retry';

function rig(failures: (DestinationErrorCode | Error)[], random = 0.999_999) {
  const pauses: number[] = [];
  const events: RetryEvent[] = [];
  let sent = 0;
  const controller = new AbortController();
  const run = () =>
    withRetries(
      async () => {
        sent += 1;
        const failure = failures.shift();
        if (failure instanceof Error) throw failure;
        if (failure !== undefined) throw new DestinationError(failure, 'It failed.');
        return 'done';
      },
      {
        operation: 'put_part',
        signal: controller.signal,
        policy: { tries: 5, baseMs: 100, capMs: 500 },
        random: () => random,
        sleep: async (ms) => void pauses.push(ms),
        onRetry: (event) => events.push(event),
      },
    );
  return { run, pauses, events, controller, sent: () => sent };
}

describe('withRetries', () => {
  it('repeats what passes by itself, with exponentially growing, capped pauses', async () => {
    const { run, pauses, events } = rig(['throttled', 'unavailable', 'timeout', 'connection_lost']);
    await expect(run()).resolves.toBe('done');
    expect(pauses).toEqual([99, 199, 399, 499]);
    expect(events[1]).toEqual({ operation: 'put_part', code: 'unavailable', attempt: 2, pauseMs: 199 });
  });

  it('draws the pause from zero up to the bound', async () => {
    const { run, pauses } = rig(['throttled', 'throttled'], 0);
    await run();
    expect(pauses).toEqual([0, 0]);
  });

  it('gives up after the last try with the last error', async () => {
    const { run, sent } = rig(Array.from({ length: 9 }, () => 'unavailable' as const));
    await expect(run()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(sent()).toBe(5);
  });

  it.each(['access_denied', 'bucket_not_found', 'clock_skew', 'aborted', 'upload_lost'] as const)(
    'does not repeat %s',
    async (code) => {
      const { run, sent } = rig([code]);
      await expect(run()).rejects.toMatchObject({ code });
      expect(sent()).toBe(1);
    },
  );

  it('rethrows an error that is not of a destination unchanged', async () => {
    const failure = new Error('of the caller');
    const { run, sent } = rig([failure]);
    await expect(run()).rejects.toBe(failure);
    expect(sent()).toBe(1);
  });

  it('sends nothing once the signal is aborted', async () => {
    const { run, sent, controller } = rig([]);
    controller.abort();
    await expect(run()).rejects.toMatchObject({ code: 'aborted' });
    expect(sent()).toBe(0);
  });

  it('wakes from a real pause when the signal is aborted', async () => {
    const controller = new AbortController();
    const waiting = withRetries(() => Promise.reject(new DestinationError('throttled', 'Slow down.')), {
      operation: 'put_part',
      signal: controller.signal,
      policy: { tries: 2, baseMs: 1_000_000, capMs: 1_000_000 },
      random: () => 1,
      onRetry: () => setImmediate(() => controller.abort()),
    });
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
