import { inSpan } from '@delivery/platform/tracing';
import type { KafkaConnection } from './connection';
import { KafkaError } from './errors';
import { TopicLane } from './topic-lane';

export interface OutgoingMessage {
  key: Buffer | string;
  value: Buffer;
  headers?: Record<string, string | Buffer>;
}

/** Where Kafka put a message. */
export interface PublishedAt {
  partition: number;
  offset: bigint;
}

/** Key, value and headers of a message together, in bytes: a value of 1 MiB with its key. Topics must take a bit more. */
export const maxMessageBytes = 1_060_000;

/**
 * Publishes durably: acknowledged by all in-sync replicas (`acks=all`), from an idempotent producer, with the partition
 * chosen as Java clients do (murmur2 of the key). Concurrent calls for a topic share requests; topics do not wait for
 * each other.
 */
export class Publisher {
  private readonly lanes = new Map<string, TopicLane>();
  private closed = false;

  constructor(private readonly connection: KafkaConnection) {}

  /**
   * Resolves when all messages are durable, with their places in the order given. Messages of one key keep the order in
   * which they were given. Nobody waits longer than `KAFKA_PUBLISH_TIMEOUT_MS`.
   *
   * A failure does not mean that nothing arrived: some messages may have been written, also later. Publish them again
   * only if their reader recognises what it has seen.
   *
   * @param signal - gives up waiting; what was not sent yet is not sent
   * @throws KafkaError `broker_unavailable`, `overloaded` (both retryable), `unknown_topic`, `message_too_large`
   */
  async publish(topic: string, messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<PublishedAt[]> {
    signal?.throwIfAborted();
    if (this.closed) throw new KafkaError('closed', 'Kafka: the publisher is closed');
    if (messages.length === 0) return [];
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.batch.message_count': messages.length,
    };
    return inSpan(`publish ${topic}`, { kind: 'producer', attributes }, (span) =>
      this.observed(topic, () => this.send(topic, withTrace(messages, span.traceparent), signal)),
    );
  }

  /** Sentences for the topics that take nothing any more, empty when all is well: see {@link TopicLane.fault}. */
  faults(): string[] {
    const { publisherStuckSeconds } = this.connection.config;
    return [...this.lanes.values()].flatMap((lane) => lane.fault(publisherStuckSeconds) ?? []);
  }

  private async observed<T>(topic: string, work: () => Promise<T>): Promise<T> {
    const { observer } = this.connection;
    const begin = performance.now();
    const ended = (outcome: 'ok' | 'failed') => observer?.published(topic, outcome, (performance.now() - begin) / 1000);
    try {
      const result = await work();
      ended('ok');
      return result;
    } catch (error) {
      ended('failed');
      throw error;
    }
  }

  private async send(
    topic: string,
    messages: readonly OutgoingMessage[],
    signal: AbortSignal | undefined,
  ): Promise<PublishedAt[]> {
    const sizes = messages.map(sizeOf);
    const largest = Math.max(...sizes);
    if (largest > maxMessageBytes) {
      throw new KafkaError(
        'message_too_large',
        `Kafka: a message of ${largest} bytes (key, value and headers) is larger than ${maxMessageBytes}`,
      );
    }
    return this.lane(topic).publish(messages, sizes, signal);
  }

  /** Sends what is waiting, then disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }

  private lane(topic: string): TopicLane {
    const existing = this.lanes.get(topic);
    if (existing) return existing;
    const lane = new TopicLane(this.connection, topic);
    this.lanes.set(topic, lane);
    return lane;
  }
}

/** Whoever reads a message can go on with the trace in which it was written; one that has its own keeps it. */
function withTrace(messages: readonly OutgoingMessage[], traceparent: string | undefined): readonly OutgoingMessage[] {
  if (traceparent === undefined) return messages;
  return messages.map((message) => ({ ...message, headers: { traceparent, ...message.headers } }));
}

function sizeOf({ key, value, headers = {} }: OutgoingMessage): number {
  const inHeaders = Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + 10,
    0,
  );
  return Buffer.byteLength(key) + value.length + inHeaders;
}
