/**
 * Gives a request so many milliseconds as a whole. A limit on silence alone would wait for ever for a store whose answer
 * trickles and does not end.
 *
 * @param send must end soon when its signal is aborted
 * @throws an Error with the code `ETIMEDOUT`; what `send` throws
 */
export async function withinTime<T>(ms: number, send: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ms);
  try {
    return await send(limit.signal);
  } catch (error) {
    // Whatever the abort looked like by the time it came out here.
    throw limit.signal.aborted ? Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }) : error;
  } finally {
    clearTimeout(timer);
  }
}
