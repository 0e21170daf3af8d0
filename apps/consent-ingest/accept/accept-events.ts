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
import { ConsentReadStore } from '@delivery/consent/store';
import { badRequest } from '@delivery/platform/auth';
import { KafkaConnection, type PublishedAt } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { Metrics } from '@delivery/platform/service';
import { Injectable } from '@nestjs/common';
import { IngestConfig } from '../app.config';
import { consumerName } from '../record/record.service';
import { RecordedWatch } from './recorded-watch';

export type Checked = { ok: true; event: ConsentEventInput & { id: string } } | { ok: false; reasons: Reason[] };

/** The role `accept`: what it answers 2xx for is durable in the log. */
@Injectable()
export class AcceptEvents {
  private readonly watch: RecordedWatch;
  private readonly read: ConsentReadStore;
  private readonly received;

  constructor(
    private readonly config: IngestConfig,
    database: Database,
    private readonly connection: KafkaConnection,
    metrics: Metrics,
  ) {
    this.watch = new RecordedWatch(database, consumerName, consentEventsTopic);
    this.read = new ConsentReadStore(database);
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

  /**
   * The stored event of an accepted one: of an earlier event with the same id, if there was one.
   * @returns undefined when the recorder has not come to it in time.
   */
  async recorded(event: { id: string; organization_id: string }, at: PublishedAt): Promise<string | undefined> {
    if (!(await this.watch.passed(at, this.config.answerWaitMs))) return undefined;
    const document = await this.read.event(event.organization_id, event.id);
    if (document === undefined)
      throw badRequest('The event was refused when it was to be recorded; ask the operator for its rejection.');
    return document;
  }
}
