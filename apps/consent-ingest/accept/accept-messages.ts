import { newEventId } from '@delivery/consent/domain';
import { mayBeUnsafe, type Reason, unsafeReason, unsafeText, type Validated } from '@delivery/consent/schema';
import type { KafkaConnection, PublishedAt, Topic } from '@delivery/platform/kafka';
import type { Metrics } from '@delivery/platform/service';
import { type ReceivedSpec, Tally } from './tally';

/** What every message says of itself. */
export interface Message {
  readonly organization_id: string;
  readonly id?: string | null | undefined;
}

/** A kind of message that is accepted over REST. */
export interface Intake<T extends Message> {
  /** What sentences call it. */
  readonly one: string;
  readonly many: string;
  /** Most in one request. */
  readonly maxItems: number;
  /** Largest message, as it is written to the topic. */
  readonly maxBytes: number;
  /** What is put where a client left it out. */
  readonly defaults: object;
  readonly topic: Topic<T>;
  validate(value: unknown): Validated<T>;
  /** Counts what came, by how it ended. */
  readonly received: ReceivedSpec;
}

/** A good message, and its bytes. */
export interface Accepted<T> {
  readonly message: T & { readonly id: string };
  readonly bytes: Buffer;
}

export type Checked<T> = ({ ok: true } & Accepted<T>) | { ok: false; reasons: Reason[] };

/** The role `accept`: what it answers 2xx for is durable in the log. */
export class AcceptMessages<T extends Message> {
  constructor(
    readonly intake: Intake<T>,
    private readonly connection: KafkaConnection,
    private readonly metrics: Metrics,
  ) {}

  /** Does the work of a request; each message of its body is counted as one thing, whatever happens. */
  async counting<R>(body: unknown, work: (tally: Tally) => Promise<R>): Promise<R> {
    const tally = new Tally(this.metrics, this.intake.received, Array.isArray(body) ? body.length : 1);
    try {
      return await work(tally);
    } catch (error) {
      tally.rest(error);
      throw error;
    }
  }

  /** Validates one message as a client sent it and gives it what it may leave out over REST: organization, id, defaults. */
  check(body: unknown, organizationId: string): Checked<T> {
    const { one, defaults, topic, maxBytes } = this.intake;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return refused([{ field: '', code: 'wrong_type', message: `An ${one} must be a JSON object.` }]);
    }
    const result = this.intake.validate({ ...defaults, ...body, organization_id: organizationId });
    if (!result.ok) return refused(result.reasons);
    const message = { ...result.value, id: result.value.id ?? newEventId() };
    const bytes = topic.encode(message);
    const unsafe = mayBeUnsafe(bytes) ? unsafeText(message) : undefined;
    if (unsafe !== undefined) return refused([unsafeReason(unsafe)]);
    if (bytes.length > maxBytes) {
      return refused([{ field: '', code: 'too_large', message: `An ${one} may have at most ${maxBytes} bytes.` }]);
    }
    return { ok: true, message, bytes };
  }

  /** Resolves when Kafka has acknowledged all of them. @throws KafkaError, retryable when no broker answers. */
  async publish(accepted: readonly Accepted<T>[]): Promise<PublishedAt[]> {
    const { topic } = this.intake;
    const messages = accepted.map(({ message, bytes }) => ({ key: topic.key(message), value: bytes }));
    return this.connection.publisher().publish(topic.name, messages);
  }
}

/** A message that is not taken. */
export function refused<T>(reasons: Reason[]): Checked<T> {
  return { ok: false, reasons };
}
