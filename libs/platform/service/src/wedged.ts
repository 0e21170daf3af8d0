import { setTimeout as delay } from 'node:timers/promises';

/**
 * Whether a restart would help: calls hang although all that they use answers. While a dependency is away they hang
 * because of it, and a restarted process would hang, too.
 *
 * @param dependencies - asks everything that tasks use
 * @param withinMs - how long the answer may take
 */
export async function isWedged(
  stuck: readonly string[],
  dependencies: () => Promise<unknown>,
  withinMs: number,
): Promise<boolean> {
  if (stuck.length === 0) return false;
  const answers = Promise.resolve()
    .then(dependencies)
    .then(
      () => true,
      () => false,
    );
  return Promise.race([answers, delay(withinMs, false, { ref: false })]);
}
