import { setTimeout as delay } from 'node:timers/promises';
import { abortedError, DestinationError, type DestinationErrorCode } from './errors';

export interface RetryPolicy {
  /** How often one request is sent at most. */
  tries: number;
  /** Upper bound of the first pause; it doubles with every further one. */
  baseMs: number;
  /** Upper bound of any pause. */
  capMs: number;
}

/** About half a minute in all: longer outages are the business of the run's own retry, which holds no memory. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = Object.freeze({ tries: 6, baseMs: 250, capMs: 15_000 });

/** Only these pass by repeating the same request; other retryable codes need a new upload or a new attempt. */
const REPEATABLE: ReadonlySet<DestinationErrorCode> = new Set([
  'throttled',
  'unavailable',
  'timeout',
  'connection_lost',
  'checksum_mismatch',
] as const);

export interface RetryEvent {
  operation: string;
  code: DestinationErrorCode;
  /** The try that failed, from 1. */
  attempt: number;
  pauseMs: number;
}

/** What a driver is given beside its options; all have defaults and are replaced in tests. */
export interface DriverDeps {
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  random?: () => number;
  onRetry?: (event: RetryEvent) => void;
  policy?: RetryPolicy;
}

/**
 * Sends a request until it succeeds, fails for a reason that repeating does not mend, or was tried often enough.
 * Pauses grow exponentially and are drawn from [0, bound) ("full jitter"), so that parallel parts do not return to a
 * throttling store in step.
 *
 * @param send must map its failures to `DestinationError` and must be able to send the same bytes again
 */
export async function withRetries<T>(
  send: () => Promise<T>,
  context: { operation: string; signal: AbortSignal } & DriverDeps,
): Promise<T> {
  const { operation, signal, policy = DEFAULT_RETRY_POLICY, random = Math.random, sleep = abortableSleep } = context;
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) throw abortedError(signal);
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof DestinationError) || !REPEATABLE.has(error.code) || attempt >= policy.tries) throw error;
      if (signal.aborted) throw abortedError(signal);
      const pauseMs = Math.floor(random() * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1)));
      context.onRetry?.({ operation, code: error.code, attempt, pauseMs });
      await sleep(pauseMs, signal);
    }
  }
}

async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // The only way this timer rejects is its signal.
    throw abortedError(signal);
  }
}
