import type { Interaction } from '@delivery/analytics/domain';
import type { ReportsRequestedMessage } from './reports-requested.message';

const DAY_MS = 86_400_000;

/** Public: anyone the operator trusts for all organizations may publish here. */
export const interactionsTopic = 'consent.interactions.v1';
/** Copies of messages that were not recorded, with the reasons in their headers. */
export const interactionsRejectedTopic = 'consent.interactions.rejected.v1';
/** Nudges for whoever writes reports. */
export const reportsRequestedTopic = 'analytics.reports.requested.v1';

/** Name of the aggregator's rows in `ingest_position`. */
export const interactionRecorderName = 'analytics';
/** The Kafka group that it reads the topic with. */
export const interactionRecorderGroup = 'analytics-aggregator.record';
/**
 * Name of the row in `ingest_position` whose `next_offset` is the first hour that is not closed yet, and of the topic it
 * names. There is no such topic in Kafka: hours since 1970 stand for offsets of its one partition.
 */
export const hoursName = 'analytics.hours';

export const interactions = {
  name: interactionsTopic,
  /** Locality only: all of a device's interactions in one partition keep their order. */
  key: ({ organization_id, device_id, controller_id, session_id, id }: Interaction): string =>
    `${organization_id}:${device_id ?? controller_id ?? session_id ?? id ?? ''}`,
  encode: (interaction: Interaction): Buffer => Buffer.from(JSON.stringify(interaction)),
  decode: (bytes: Buffer): Interaction => JSON.parse(bytes.toString('utf8')) as Interaction,
};

export const reportsRequested = {
  name: reportsRequestedTopic,
  /** Spread over the writers: any of them may make any report. */
  key: ({ analytics_id, prefix }: ReportsRequestedMessage): string => `${analytics_id}:${prefix}`,
  encode: (message: ReportsRequestedMessage): Buffer => Buffer.from(JSON.stringify(message)),
  decode: (bytes: Buffer): ReportsRequestedMessage => JSON.parse(bytes.toString('utf8')) as ReportsRequestedMessage,
};

/** What the topics step creates; `partitions` of the interactions topic is the operator's choice. */
export function topicSpecs(partitions: number) {
  // As for consent events: no larger batches, since from one of 125,000 empty messages kafkajs dies of a full stack.
  const retention = { 'retention.ms': String(7 * DAY_MS), 'max.message.bytes': '1080000' };
  return [
    { name: interactionsTopic, partitions, config: retention },
    {
      name: interactionsRejectedTopic,
      partitions: 1,
      config: { 'retention.ms': String(30 * DAY_MS), 'max.message.bytes': '1190000' },
    },
    { name: reportsRequestedTopic, partitions, config: { 'retention.ms': String(DAY_MS / 24) } },
  ];
}
