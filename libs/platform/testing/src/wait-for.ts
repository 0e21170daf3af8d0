import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until a condition gives something other than undefined or false, and returns it.
 * @throws with `describe` and the last failure after `timeoutMs` (40 s by default).
 */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: { describe: string; timeoutMs?: number },
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 40_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${options.describe}`, { cause: last });
    await delay(25);
  }
}
