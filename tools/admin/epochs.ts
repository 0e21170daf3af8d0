import { interactionRecorderName, interactionsTopic } from '@delivery/analytics/schema';
import { consentRecorderName } from '@delivery/consent/schema';
import { type IngestPosition, PositionStore } from '@delivery/ingest/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';

export interface BegunEpoch {
  epoch: number;
  /** Where recording goes on in the new log. */
  firstOffset: bigint;
}

/** Where recording begins in the log that is there now. */
export type EpochStart = 'earliest' | 'latest' | bigint;

/** @throws AdminError `usage` */
export function parseEpochStart(text: string): EpochStart {
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new AdminError('usage', `"${text}" is no start: give --from earliest, --from latest or --from <offset>.`);
}

/**
 * Lets the recorder go on after a partition's log was lost or replaced. Messages of the old log that were not recorded
 * are lost; nothing that was recorded is. Not repeatable: each call begins another epoch.
 *
 * @param from - may be left out only when nothing that the log holds can have been recorded: retention has removed it all
 * @throws AdminError `not_found`, `refused`, `usage`; IngestError for a partition that was never recorded
 */
export async function beginEpoch(
  { database, kafka }: { database: Database; kafka: KafkaConnection },
  topic: string,
  partition: number,
  from?: EpochStart,
): Promise<BegunEpoch> {
  const found = (await kafka.watermarks(topic)).find((each) => each.partition === partition);
  if (found === undefined) throw new AdminError('not_found', `Topic ${topic} has no partition ${partition}.`);
  const clusterId = await kafka.clusterId();
  const positions = new PositionStore();
  const consumer = topic === interactionsTopic ? interactionRecorderName : consentRecorderName;
  const position = await positions.find(database, consumer, topic, partition);
  const isNew = position === undefined || (position.clusterId === clusterId && position.nextOffset <= found.low);
  if (from === undefined && !isNew) throw refused(position, clusterId, found);
  const firstOffset = offsetOf(from ?? 'earliest', found);
  const start = { consumer, topic, partition, clusterId, firstOffset };
  const epoch = await database.transaction((tx) => positions.beginEpoch(tx, start), { retries: 0 });
  return { epoch, firstOffset };
}

interface Extent {
  readonly low: bigint;
  readonly high: bigint;
  readonly stable: bigint;
}

function offsetOf(from: EpochStart, { low, high, stable }: Extent): bigint {
  if (from === 'earliest') return low;
  // Nobody can have recorded what is in a transaction that is still open.
  if (from === 'latest') return stable;
  if (from >= low && from <= high) return from;
  throw new AdminError('usage', `The log has offsets ${low} to ${high}: ${from} is none of them.`);
}

function refused(
  { topic, partition, nextOffset, ...position }: IngestPosition,
  clusterId: string,
  log: Extent,
): AdminError {
  const cluster =
    position.clusterId === clusterId
      ? ''
      : ` It was recorded from cluster ${position.clusterId}, this is ${clusterId}.`;
  return new AdminError(
    'refused',
    `Say where to begin: partition ${partition} of ${topic} was recorded up to offset ${nextOffset}, and the log has ` +
      `${log.low} to ${log.high}.${cluster} Only you know whether it holds what was recorded before.\n` +
      `  --from earliest   a log made anew: all that it has is recorded; what was recorded before counts once if it has ` +
      `an id, and again if it has none\n` +
      `  --from latest     a copy of the old log, recorded already: only what comes from now on is recorded\n` +
      `  --from <offset>   a copy that goes on: from the first message that was not recorded`,
  );
}
