import { hourStart } from '@delivery/analytics/domain';
import { interactionRecorderName, interactionsTopic } from '@delivery/analytics/schema';
import { type ConsentPartition, type ConsentRollupStore, offsetsBehind } from '@delivery/analytics/store';
import { consentCommandsTopic, consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { type LogReader, logTargetAt, type LogTarget, readinessOf } from '@delivery/exports/engine';
import type { IngestPosition, PositionStore } from '@delivery/ingest/store';
import type { Database, Sql } from '@delivery/platform/postgres';

const CONSENT_TOPICS = [consentEventsTopic, consentCommandsTopic];

/** Up to where the logs have to be recorded for everything that arrived before an hour to be. */
export interface HourTarget {
  readonly hour: number;
  readonly interactions: LogTarget;
  readonly consents: LogTarget;
}

/** Asks Kafka: before a transaction, since no lock may wait for it. */
export async function hourTarget(
  { database, log, positions }: { database: Database; log: LogReader; positions: PositionStore },
  hour: number,
): Promise<HourTarget> {
  const end = hourStart(hour);
  const recorded = await positions.readAll(database, interactionRecorderName);
  const recordedConsents = await positions.readAll(database, consentRecorderName);
  const [interactions, consents] = await Promise.all([
    logTargetAt(log, [interactionsTopic], end, recorded),
    logTargetAt(log, CONSENT_TOPICS, end, recordedConsents),
  ]);
  return { hour, interactions, consents };
}

/** @returns what has to happen until everything that arrived before the hour is counted; undefined: it is */
export async function waitingFor(
  sql: Sql,
  { positions, consents }: { positions: PositionStore; consents: ConsentRollupStore },
  target: HourTarget,
): Promise<string | undefined> {
  const recorded = await positions.readAll(sql, interactionRecorderName);
  const recordedConsents = await positions.readAll(sql, consentRecorderName);
  if ([...recorded, ...recordedConsents].some(({ held }) => held)) {
    return 'the database is older than what was recorded once; the operator has to run: npm run admin -- deliveries reconcile';
  }
  const end = hourStart(target.hour);
  return (
    readinessOf(target.interactions, recorded, end).waitingFor ??
    readinessOf(target.consents, recordedConsents, end).waitingFor ??
    uncounted(target.consents, recordedConsents, await consents.partitions(sql, consentRecorderName))
  );
}

/** What is recorded is to be counted, up to the target: of the epoch that the log is in now, and all before it. */
function uncounted(
  { offsets }: LogTarget,
  recorded: readonly IngestPosition[],
  partitions: readonly ConsentPartition[],
): string | undefined {
  for (const { topic, partition, epoch } of recorded) {
    const target = offsets.find((each) => each.topic === topic && each.partition === partition)?.offset;
    const counting = partitions.find((each) => each.topic === topic && each.partition === partition);
    if (target === undefined || counting === undefined) continue;
    const epochs = counting.epochs.map((each) =>
      each.epoch === epoch && target < each.nextOffset ? { ...each, nextOffset: target } : each,
    );
    const behind = offsetsBehind(epochs, counting.place);
    if (behind > 0n)
      return `${behind.toLocaleString('en-US')} messages of partition ${partition} of ${topic} are recorded and not counted`;
  }
  return undefined;
}
