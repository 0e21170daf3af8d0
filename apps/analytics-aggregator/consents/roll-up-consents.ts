import { type ConsentPartition, ConsentRollupStore, type CountedConsents } from '@delivery/analytics/store';
import { consentRecorderName } from '@delivery/consent/schema';
import type { Database } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';

/** Offsets that one transaction passes: some ten thousand documents are read in less than a second. */
const LIMIT = 50_000;

export interface RollUpConsentsDeps {
  readonly database: Database;
  readonly consents: ConsentRollupStore;
  readonly everySeconds: number;
  /** Told of what was committed. */
  counted(consents: number): void;
  /** All partitions, after each look. */
  seen(partitions: readonly ConsentPartition[]): void;
  readonly limit?: number;
}

/**
 * Counts the recorded consents, by their positions: what is recorded is counted once, and what is counted was recorded.
 * Any number of aggregators may do it.
 */
export function rollUpConsents(deps: RollUpConsentsDeps): Task {
  const { database, consents, everySeconds } = deps;
  const run = async (signal: AbortSignal): Promise<void> => {
    for (const partition of await consents.partitions(database, consentRecorderName)) {
      while (!signal.aborted && (await countSome(deps, partition)) !== undefined);
    }
    deps.seen(await consents.partitions(database, consentRecorderName));
  };
  return { name: 'consents', everySeconds, run };
}

async function countSome(
  { database, consents, counted, limit = LIMIT }: RollUpConsentsDeps,
  partition: ConsentPartition,
): Promise<CountedConsents | undefined> {
  const done = await database.transaction((tx) => consents.countNext(tx, partition, limit));
  if (done !== undefined) counted(done.consents);
  return done;
}
