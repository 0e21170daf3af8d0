import { interactionRecorderName } from '@delivery/analytics/schema';
import { planClaimSweep, sweepClaims } from '@delivery/analytics/store';
import type { Database } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';

const HOUR_SECONDS = 3600;
/** Of one statement: some hundred thousand claims. */
const PAGES = 1_000;

/** Forgets the ids that no interaction is recognised by any more. */
export function sweepOldClaims(database: Database): Task {
  const run = async (signal: AbortSignal): Promise<void> => {
    const { before, pages } = await planClaimSweep(database, interactionRecorderName);
    if (before === undefined) return;
    for (let page = 0; page < pages && !signal.aborted; page += PAGES) await sweepClaims(database, before, page, PAGES);
  };
  return { name: 'claims', everySeconds: HOUR_SECONDS, run };
}
