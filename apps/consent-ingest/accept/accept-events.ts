import { newEventId, type ConsentEventInput } from '@delivery/consent/domain';
import {
  consentEvents,
  consentEventsTopic,
  maxEventBytes,
  type Reason,
  unsafeReason,
  unsafeText,
  validateEvent,
} from '@delivery/consent/schema';
import { KafkaConnection, type PublishedAt } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { Metrics } from '@delivery/platform/service';
import { Injectable } from '@nestjs/common';
import { IngestConfig } from '../app.config';
import { consumerName } from '../record/record.service';
import { RecordedEvents } from './recorded-events';

export type Checked = { ok: true; event: ConsentEventInput & { id: string } } | { ok: false; reasons: Reason[] };

/** The role `accept`: what it answers 2xx for is durable in the log. */
@Injectable()
export class AcceptEvents {
  private readonly events: RecordedEvents;
  private readonly received;

  constructor(
    private readonly config: IngestConfig,
    database: Database,
    private readonly connection: KafkaConnection,
    metrics: Metrics,
  ) {
    this.events = new RecordedEvents(database, consumerName, consentEventsTopic);
    this.received = metrics.counter(
      'ingest_events_received_total',
      'Events that came over REST, by what became of them.',
      ['outcome'],
    );
  }

  /** Validates one event as a client sent it and gives it what it may leave out over REST: organization, id, source. */
  check(body: unknown, organizationId: string): Checked {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return this.refuse([{ field: '', code: 'wrong_type', message: 'An event must be a JSON object.' }]);
    }
    const result = validateEvent({ source: 'api', ...body, organization_id: organizationId });
    if (!result.ok) return this.refuse(result.reasons);
    const unsafe = unsafeText(body);
    if (unsafe !== undefined) return this.refuse([unsafeReason(unsafe)]);
    const event = { ...result.event, id: result.event.id ?? newEventId() };
    if (consentEvents.encode(event).length > maxEventBytes) {
      return this.refuse([
        { field: '', code: 'too_large', message: `An event may have at most ${maxEventBytes} bytes.` },
      ]);
    }
    return { ok: true, event };
  }

  /** Counts an event that is not taken. */
  refuse(reasons: Reason[]): Checked {
    this.received.inc({ outcome: 'refused' });
    return { ok: false, reasons };
  }

  /** Resolves when Kafka has acknowledged all of them. @throws KafkaError, retryable when no broker answers. */
  async publish(events: readonly ConsentEventInput[]): Promise<PublishedAt[]> {
    const messages = events.map((event) => ({ key: consentEvents.key(event), value: consentEvents.encode(event) }));
    const places = await this.connection.publisher().publish(consentEventsTopic, messages);
    this.received.inc({ outcome: 'accepted' }, events.length);
    return places;
  }

  /** The stored event of an accepted one; see {@link RecordedEvents.find}. */
  recorded(event: { id: string; organization_id: string }, at: PublishedAt): Promise<string | undefined> {
    return this.events.find(event, at, this.config.answerWaitMs);
  }
}
