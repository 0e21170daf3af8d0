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
import { EventTally } from './event-tally';
import { RecordedEvents } from './recorded-events';

export type Checked = { ok: true; event: ConsentEventInput & { id: string } } | { ok: false; reasons: Reason[] };

/** The role `accept`: what it answers 2xx for is durable in the log. */
@Injectable()
export class AcceptEvents {
  private readonly events: RecordedEvents;

  constructor(
    private readonly config: IngestConfig,
    database: Database,
    private readonly connection: KafkaConnection,
    private readonly metrics: Metrics,
  ) {
    this.events = new RecordedEvents(database, consumerName, consentEventsTopic);
  }

  /** Does the work of a request with so many events in it; each of them is counted as one thing, whatever happens. */
  async counting<T>(count: number, work: (tally: EventTally) => Promise<T>): Promise<T> {
    const tally = new EventTally(this.metrics, count);
    try {
      return await work(tally);
    } catch (error) {
      tally.rest(error);
      throw error;
    }
  }

  /** Validates one event as a client sent it and gives it what it may leave out over REST: organization, id, source. */
  check(body: unknown, organizationId: string): Checked {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return refused([{ field: '', code: 'wrong_type', message: 'An event must be a JSON object.' }]);
    }
    const result = validateEvent({ source: 'api', ...body, organization_id: organizationId });
    if (!result.ok) return refused(result.reasons);
    const unsafe = unsafeText(body);
    if (unsafe !== undefined) return refused([unsafeReason(unsafe)]);
    const event = { ...result.event, id: result.event.id ?? newEventId() };
    if (consentEvents.encode(event).length > maxEventBytes) {
      return refused([{ field: '', code: 'too_large', message: `An event may have at most ${maxEventBytes} bytes.` }]);
    }
    return { ok: true, event };
  }

  /** Resolves when Kafka has acknowledged all of them. @throws KafkaError, retryable when no broker answers. */
  async publish(events: readonly ConsentEventInput[]): Promise<PublishedAt[]> {
    const messages = events.map((event) => ({ key: consentEvents.key(event), value: consentEvents.encode(event) }));
    return this.connection.publisher().publish(consentEventsTopic, messages);
  }

  /** The stored event of an accepted one; see {@link RecordedEvents.find}. */
  recorded(event: { id: string; organization_id: string }, at: PublishedAt): Promise<string | undefined> {
    return this.events.find(event, at, this.config.answerWaitMs);
  }
}

/** An event that is not taken. */
export function refused(reasons: Reason[]): Checked {
  return { ok: false, reasons };
}
