import { abortedError } from '@delivery/destinations/driver';

/**
 * Ends the waiting for work that takes neither a signal nor a time limit, though not the work itself.
 *
 * @throws DestinationError `aborted`; an Error with the code `ETIMEDOUT`
 */
export async function within<T>(work: Promise<T>, limit: { ms: number; signal: AbortSignal }): Promise<T> {
  const { ms, signal } = limit;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(abortedError(signal));
  const timer = setTimeout(() => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })), ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
