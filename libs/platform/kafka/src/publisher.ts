import { CompressionTypes, Partitioners, type IHeaders, type Message, type PartitionerArgs, type Producer } from 'kafkajs';
import type { KafkaConnection } from './connection';
import { KafkaError, mapKafkaError } from './errors';

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

interface Waiting {
  topic: string;
  messages: Message[];
  resolve(at: PublishedAt[]): void;
  reject(error: unknown): void;
}

/** Largest value that any topic of the platform takes, in bytes; the rest of a message is key and headers. */
export const maxValueBytes = 1_048_576;

/** kafkajs does not linger: calls of so many milliseconds share one request. */
const lingerMs = 3;
const maxBatch = 2000;
/** The broker refuses a batch of one partition beyond its message.max.bytes; nothing says how a batch will spread. */
const maxBatchBytes = 900_000;

/**
 * An idempotent producer (`acks=all`) behind a micro-batcher. One request is under way at a time, so order per key is
 * the order of the calls.
 */
export class Publisher {
  private producer: Promise<Producer> | undefined;
  private queue: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private readonly chosen = new WeakMap<Message, number>();

  constructor(private readonly connection: KafkaConnection) {}

  /**
   * Resolves when all messages are durable, with their places in the order given.
   * @throws KafkaError `broker_unavailable` (retryable; the messages may still arrive), `message_too_large`.
   */
  publish(topic: string, messages: readonly OutgoingMessage[]): Promise<PublishedAt[]> {
    if (messages.length === 0) return Promise.resolve([]);
    const large = messages.find((message) => message.value.length > maxValueBytes);
    if (large) {
      return Promise.reject(new KafkaError('message_too_large', `A message of ${large.value.length} bytes is larger than ${maxValueBytes}.`));
    }
    return new Promise((resolve, reject) => {
      const { publishTimeoutMs } = this.connection.config;
      const timeout = setTimeout(
        () => reject(new KafkaError('broker_unavailable', `Kafka did not acknowledge within ${publishTimeoutMs} ms.`)),
        publishTimeoutMs,
      );
      this.queue.push({
        topic: this.connection.topicName(topic),
        messages: messages.map(({ key, value, headers }) => ({ key, value, ...(headers && { headers: headers as IHeaders }) })),
        resolve: (at) => (clearTimeout(timeout), resolve(at)),
        reject: (error) => (clearTimeout(timeout), reject(error)),
      });
      this.timer ??= setTimeout(() => void this.drain(), lingerMs);
    });
  }

  private async drain(): Promise<void> {
    this.timer = undefined;
    if (this.sending) return; // the running drain takes the queue when it comes to it
    this.sending = this.sendAll();
    await this.sending;
    this.sending = undefined;
  }

  private async sendAll(): Promise<void> {
    while (this.queue.length > 0) await this.send(this.takeBatch());
  }

  private takeBatch(): Waiting[] {
    let count = 0;
    let bytes = 0;
    let calls = 0;
    for (const waiting of this.queue) {
      const size = waiting.messages.reduce((sum, message) => sum + (message.value?.length ?? 0) + 200, 0);
      if (calls > 0 && (count + waiting.messages.length > maxBatch || bytes + size > maxBatchBytes)) break;
      count += waiting.messages.length;
      bytes += size;
      calls += 1;
    }
    return this.queue.splice(0, calls);
  }

  private async send(batch: readonly Waiting[]): Promise<void> {
    try {
      this.producer ??= this.connect();
      const producer = await this.producer;
      const byTopic = Map.groupBy(batch, (waiting) => waiting.topic);
      const topicMessages = [...byTopic].map(([topic, calls]) => ({ topic, messages: calls.flatMap((call) => call.messages) }));
      const acknowledged = await producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
      this.settle(batch, new Map(acknowledged.map((a) => [`${a.topicName} ${a.partition}`, BigInt(a.baseOffset ?? -1)])));
    } catch (error) {
      // Sequence numbers may be out of step with the broker now: the next batch gets a new producer.
      this.dropProducer();
      const mapped = mapKafkaError(error);
      for (const waiting of batch) waiting.reject(mapped);
    }
  }

  /** Kafka tells the first offset per partition; the rest follows from the order within the partition. */
  private settle(batch: readonly Waiting[], next: Map<string, bigint>): void {
    for (const waiting of batch) {
      const places = waiting.messages.map((message) => {
        const partition = this.chosen.get(message) ?? -1;
        const key = `${waiting.topic} ${partition}`;
        const offset = next.get(key) ?? -1n;
        next.set(key, offset + 1n);
        return { partition, offset };
      });
      waiting.resolve(places);
    }
  }

  private async connect(): Promise<Producer> {
    const producer = this.connection.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 6 },
      createPartitioner: () => {
        const partition = Partitioners.DefaultPartitioner();
        return (args: PartitionerArgs) => {
          const place = partition(args);
          this.chosen.set(args.message, place);
          return place;
        };
      },
    });
    await producer.connect();
    return producer;
  }

  private dropProducer(): void {
    const dropped = this.producer;
    this.producer = undefined;
    void dropped?.then((producer) => producer.disconnect()).catch(() => undefined);
  }

  /** Sends what is waiting, then disconnects. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.drain();
    await this.sending;
    const producer = await this.producer?.catch(() => undefined);
    this.producer = undefined;
    await producer?.disconnect();
  }
}
