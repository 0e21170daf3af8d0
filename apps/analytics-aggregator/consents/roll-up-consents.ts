import { type ConsentPartition, ConsentRollupStore, type CountedConsents } from '@delivery/analytics/store';
import { consentRecorderName } from '@delivery/consent/schema';
import type { Database } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';

/** Offsets that one transaction passes: some ten thousand documents are read in less than a second. */
const LIMIT = 50_000;
/** After which a call leaves the rest to the next one: a process at work is not to pass for one that hangs. */
const SLICE_MS = 30_000;

export interface RollUpConsentsDeps {
  readonly database: Database;
  readonly consents: ConsentRollupStore;
  readonly everySeconds: number;
  /** Told of what was committed. */
  counted(done: CountedConsents): void;
  /** All partitions, after each look. */
  seen(partitions: readonly ConsentPartition[]): void;
  readonly limit?: number;
  readonly sliceMs?: number;
}

/**
 * Counts the recorded consents, by their positions: what is recorded is counted once, and what is counted was recorded.
 * Any number of aggregators may do it.
 */
export function rollUpConsents(deps: RollUpConsentsDeps): Task {
  const { database, consents, everySeconds, sliceMs = SLICE_MS } = deps;
  const run = async (signal: AbortSignal): Promise<void> => {
    const end = performance.now() + sliceMs;
    let left = await consents.partitions(database, consentRecorderName);
    // By turns: none of them waits for the whole of another.
    while (left.length > 0 && !signal.aborted) {
      const more: ConsentPartition[] = [];
      for (const partition of left) if ((await countSome(deps, partition)) !== undefined) more.push(partition);
      left = performance.now() < end ? more : [];
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
  if (done !== undefined) counted(done);
  return done;
}
