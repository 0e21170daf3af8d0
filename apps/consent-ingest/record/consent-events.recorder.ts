import { normalizeEvent, type ConsentEvent } from '@delivery/consent/domain';
import { consentEventsRejectedTopic, consentEventsTopic, parseEventMessage } from '@delivery/consent/schema';
import { recordEvents } from '@delivery/consent/store';
import {
  type KnownOrganizations,
  type LogMessage,
  type LogSource,
  type Prepared,
  type RecordOutcome,
  rejectUnknownOrganization,
  type TopicRecorder,
} from '@delivery/ingest/recorder';
import type { Transaction } from '@delivery/platform/postgres';

interface Item {
  message: LogMessage;
  value: ConsentEvent;
}

/** Records `consent.events.v1`. */
export class ConsentEventsRecorder implements TopicRecorder<ConsentEvent> {
  readonly topic = consentEventsTopic;
  readonly rejectedTopic = consentEventsRejectedTopic;

  constructor(private readonly organizations: KnownOrganizations) {}

  prepare(message: LogMessage, source: LogSource): Prepared<ConsentEvent> {
    const parsed = parseEventMessage(message.value);
    if (!parsed.ok) return { message, organizationId: parsed.organizationId, reasons: parsed.reasons };
    const { topicId, partition, epoch } = source;
    const value = normalizeEvent(parsed.value, {
      clusterId: source.clusterId,
      topic: source.topic,
      position: { topicId, partition, epoch, offset: message.offset },
      arrivedAt: message.arrivedAt.getTime(),
    });
    return { message, value };
  }

  async record(tx: Transaction, batch: readonly Item[]): Promise<RecordOutcome> {
    const unknown = await this.organizations.unknownOf(tx, new Set(batch.map(({ value }) => value.organizationId)));
    const good = unknown.size === 0 ? batch : batch.filter(({ value }) => !unknown.has(value.organizationId));
    const { duplicates } = await recordEvents(
      tx,
      good.map(({ message, value }) => ({ event: value, arrivedAt: message.arrivedAt })),
    );
    const rejected = batch
      .filter(({ value }) => unknown.has(value.organizationId))
      .map(({ message, value }) => rejectUnknownOrganization(message, value.organizationId));
    return { duplicates, suppressed: 0, rejected };
  }
}
