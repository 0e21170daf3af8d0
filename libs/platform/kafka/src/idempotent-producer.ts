import { CompressionTypes, Partitioners, type Message, type Producer } from 'kafkajs';
import type { KafkaConnection } from './connection';
import { KafkaError, within } from './errors';
import type { KafkaClient } from './kafka-client';

/**
 * One idempotent producer with one request under way at a time.
 *
 * kafkajs takes a failed request's sequence numbers back and gives them to the next one. Had the broker written the
 * first, a second request with as many messages would be taken for its repetition and acknowledged *without being
 * written*. So requests never overlap, and after any failure the producer is thrown away: the next gets a new producer
 * id and begins at zero. Within a request kafkajs repeats the same bytes with the same numbers, which is what
 * idempotence is for; `maxInFlightRequests` has nothing left to limit.
 */
export class IdempotentProducer {
  private readonly chosen = new WeakMap<object, number>();
  private readonly client: KafkaClient;
  private readonly producer: Producer;
  private readonly ready: Promise<void>;

  constructor(
    connection: KafkaConnection,
    private readonly timeoutMs: number,
  ) {
    this.client = connection.client();
    this.producer = this.client.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      createPartitioner: () => this.partitioner(),
      // More than fit into the time-out, which is what ends them.
      retry: {
        initialRetryTime: 100,
        maxRetryTime: 1000,
        factor: 0.2,
        multiplier: 2,
        retries: Math.ceil(timeoutMs / 500),
      },
    });
    this.ready = this.producer.connect();
    this.ready.catch(() => undefined);
  }

  /** @returns per message its partition and offset, in the order given. */
  async send(topic: string, messages: Message[]): Promise<{ partition: number; offset: bigint }[]> {
    const deadline = performance.now() + this.timeoutMs;
    await within(this.timeoutMs, 'connecting', this.ready);
    const request = this.producer.send({ topic, messages, acks: -1, compression: CompressionTypes.None });
    const acknowledged = await within(Math.max(1, deadline - performance.now()), 'an acknowledgement', request);
    const next = new Map(acknowledged.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? -1)]));
    return messages.map((message) => {
      const partition = this.chosen.get(message) ?? -1;
      const offset = next.get(partition) ?? -1n;
      if (offset < 0n) throw new KafkaError('failed', `Kafka: no offset for a message of ${topic}`);
      next.set(partition, offset + 1n);
      return { partition, offset };
    });
  }

  /** Ends at once, also what is still being repeated: nobody waits for it any more, and it must not be written later. */
  discard(): void {
    this.client.sever();
    this.producer.disconnect().catch(() => undefined);
  }

  async close(): Promise<void> {
    await within(5000, 'closing', this.producer.disconnect()).catch(() => undefined);
    this.client.sever();
  }

  /** Called by kafkajs for each message of each attempt: the only way to learn which partition it took. */
  private partitioner(): ReturnType<typeof Partitioners.DefaultPartitioner> {
    const partitionOf = Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = partitionOf(args);
      this.chosen.set(args.message, partition);
      return partition;
    };
  }
}
