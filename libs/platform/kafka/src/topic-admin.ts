import { setTimeout as delay } from 'node:timers/promises';
import { CompressionTypes, Partitioners, type Message, type Producer, type Transaction } from 'kafkajs';
import type { KafkaConnection } from './connection';
import { create } from './ensure-topics';
import { KafkaError, mapKafkaError } from './errors';

export interface RawMessage {
  partition?: number;
  key?: Buffer | string | null;
  value: Buffer | string | null;
  headers?: Record<string, string | Buffer>;
  /** The producer's own time, which topics with `LogAppendTime` replace. */
  timestamp?: Date;
}

/** A transaction that is still open. */
export interface OpenTransaction {
  send(messages: readonly RawMessage[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** What operators and tests do to topics that services never do. */
export class TopicAdmin {
  private producer: Promise<Producer> | undefined;
  private readonly transactional = new Set<Producer>();

  constructor(private readonly connection: KafkaConnection) {}

  /**
   * Sends messages as they are, also such as no schema would take; each stands in the log once when it resolves. kafkajs
   * drops messages for a partition it has not heard of, without a word: those are sent again until it has.
   */
  async produce(topic: string, messages: readonly RawMessage[], options: { gzip?: boolean } = {}): Promise<void> {
    this.producer ??= this.connect();
    const compression = options.gzip ? CompressionTypes.GZIP : CompressionTypes.None;
    const name = this.connection.topicName(topic);
    const deadline = Date.now() + this.connection.config.publishTimeoutMs;
    await mapped(async () => {
      const producer = await this.producer;
      for (let left = messages; left.length > 0 && producer; await delay(20)) {
        const sent = await producer.send({ topic: name, acks: -1, compression, messages: left.map(toMessage) });
        const written = new Set(sent.map(({ partition }) => partition));
        left = left.filter(({ partition }) => (partition === undefined ? sent.length === 0 : !written.has(partition)));
        if (left.length > 0 && Date.now() > deadline) {
          throw new KafkaError('broker_unavailable', `Kafka: nobody leads partition ${left[0]?.partition} of ${name}`);
        }
      }
    });
  }

  /** One transaction with these messages, ended as asked; leaves a control record at the end of each partition. */
  async transaction(topic: string, messages: readonly RawMessage[], end: 'commit' | 'abort'): Promise<void> {
    const transaction = await this.begin(topic);
    await transaction.send(messages);
    await transaction[end]();
  }

  /** Opens a transaction of a producer of its own, so several may be open at once. */
  async begin(topic: string): Promise<OpenTransaction> {
    const name = this.connection.topicName(topic);
    const producer = this.connection.client().kafka.producer({
      transactionalId: `${name}-${process.pid}-${Date.now()}-${Math.random()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    this.transactional.add(producer);
    const transaction = await mapped(async (): Promise<Transaction> => {
      await producer.connect();
      return producer.transaction();
    });
    const end = async (how: 'commit' | 'abort') => {
      await mapped(() => transaction[how]());
      await this.release(producer);
    };
    return {
      send: (messages) =>
        mapped(async () => void (await transaction.send({ topic: name, messages: messages.map(toMessage) }))),
      commit: () => end('commit'),
      abort: () => end('abort'),
    };
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.connection.ask((admin) => admin.deleteTopics({ topics: [this.connection.topicName(topic)] }));
  }

  async createTopic(topic: string, partitions: number, config: Record<string, string> = {}): Promise<void> {
    const spec = { name: this.connection.topicName(topic), partitions, config };
    await this.connection.ask((admin) => create(admin, [spec]));
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    const topicPartitions = [{ topic: this.connection.topicName(topic), count }];
    await this.connection.ask((admin) => admin.createPartitions({ topicPartitions }));
  }

  /** Removes what is below `offset`, as retention would. */
  async deleteRecords(topic: string, partition: number, offset: bigint): Promise<void> {
    const name = this.connection.topicName(topic);
    await this.connection.ask(async (admin) => {
      await admin.fetchTopicOffsets(name); // kafkajs finds no leader of a topic that it was never asked about
      await admin.deleteTopicRecords({ topic: name, partitions: [{ partition, offset: offset.toString() }] });
    });
  }

  /** The offset a group has committed per partition; -1 where it has none. */
  async committedOffsets(groupId: string, topic: string): Promise<{ partition: number; offset: bigint }[]> {
    const request = { groupId: this.connection.topicName(groupId), topics: [this.connection.topicName(topic)] };
    const [found] = await this.connection.ask((admin) => admin.fetchOffsets(request));
    return (found?.partitions ?? []).map(({ partition, offset }) => ({ partition, offset: BigInt(offset) }));
  }

  async close(): Promise<void> {
    for (const producer of this.transactional) await this.release(producer);
    await (await this.producer)?.disconnect();
  }

  private async release(producer: Producer): Promise<void> {
    this.transactional.delete(producer);
    await producer.disconnect();
  }

  private async connect(): Promise<Producer> {
    const createPartitioner = Partitioners.DefaultPartitioner;
    const producer = this.connection.client().kafka.producer({
      idempotent: true, // a request that is repeated is written once
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner,
      metadataMaxAge: 0, // partitions may have been added, or the topic made anew, since the last request
    });
    await producer.connect();
    return producer;
  }
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw mapKafkaError(error);
  }
}

function toMessage({ partition, key, value, headers, timestamp }: RawMessage): Message {
  return {
    key: key ?? null,
    value,
    ...(partition !== undefined && { partition }),
    ...(headers && { headers }),
    ...(timestamp && { timestamp: String(timestamp.getTime()) }),
  };
}
