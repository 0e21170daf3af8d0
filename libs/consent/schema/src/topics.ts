import type { ConsentEventInput } from '@delivery/consent/domain';
import type { ConsentCommandMessage } from './consent-command.message';

const day = 86_400_000;

/** Public: anyone the operator trusts for all organizations may publish here. */
export const consentEventsTopic = 'consent.events.v1';
/** Private to consent-ingest: amendments, removals, erasures. */
export const consentCommandsTopic = 'consent.commands.v1';
/** Copies of messages that were not recorded, with the reasons in their headers. */
export const consentEventsRejectedTopic = 'consent.events.rejected.v1';

/** Name of the consent recorder's rows in `ingest_position`: windows are made of these positions. */
export const consentRecorderName = 'consent';
/** The Kafka group that it reads the topics with. */
export const consentRecorderGroup = 'consent-ingest.record';

export const consentEvents = {
  name: consentEventsTopic,
  /** Locality only: all of a user's events in one partition. */
  key: (event: ConsentEventInput): string =>
    `${event.organization_id}:${event.user?.id ?? event.user?.organization_user_id ?? event.id ?? ''}`,
  encode: (event: ConsentEventInput): Buffer => Buffer.from(JSON.stringify(event)),
  decode: (bytes: Buffer): ConsentEventInput => JSON.parse(bytes.toString('utf8')) as ConsentEventInput,
};

export const consentCommands = {
  name: consentCommandsTopic,
  /** All commands of one organization in order. */
  key: (command: ConsentCommandMessage): string => command.organization_id,
  encode: (command: ConsentCommandMessage): Buffer => Buffer.from(JSON.stringify(command)),
  decode: (bytes: Buffer): ConsentCommandMessage => JSON.parse(bytes.toString('utf8')) as ConsentCommandMessage,
};

/** What the topics step creates; `partitions` of the events topic is the operator's choice. */
export function topicSpecs(partitions: number) {
  // The largest event with its key and headers. No more: from a batch of 125,000 empty messages, 9 bytes each, kafkajs
  // dies of a full stack, again and again.
  const retention = { 'retention.ms': String(7 * day), 'max.message.bytes': '1080000' };
  return [
    { name: consentEventsTopic, partitions, config: retention },
    { name: consentCommandsTopic, partitions: Math.min(partitions, 3), config: retention },
    {
      name: consentEventsRejectedTopic,
      partitions: 1,
      config: { 'retention.ms': String(30 * day), 'max.message.bytes': '1190000' },
    },
  ];
}
