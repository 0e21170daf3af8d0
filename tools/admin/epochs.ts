import { consentRecorderName } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';

export interface BegunEpoch {
  epoch: number;
  /** Where recording goes on in the new log. */
  firstOffset: bigint;
}

/**
 * Lets the recorder go on after a partition's log was lost or replaced: from the first message that the log has now.
 * Messages of the old log that were not recorded are lost; nothing that was recorded is. Not repeatable: each call
 * begins another epoch.
 *
 * @throws AdminError `not_found`; IngestError for a partition that was never recorded
 */
export async function beginEpoch(
  { database, kafka }: { database: Database; kafka: KafkaConnection },
  topic: string,
  partition: number,
): Promise<BegunEpoch> {
  const found = (await kafka.watermarks(topic)).find((each) => each.partition === partition);
  if (found === undefined) throw new AdminError('not_found', `Topic ${topic} has no partition ${partition}.`);
  const clusterId = await kafka.clusterId();
  const start = { consumer: consentRecorderName, topic, partition, clusterId, firstOffset: found.low };
  const epoch = await database.transaction((tx) => new PositionStore().beginEpoch(tx, start), { retries: 0 });
  return { epoch, firstOffset: found.low };
}
