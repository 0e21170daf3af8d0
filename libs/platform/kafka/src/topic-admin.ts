import { Partitioners, type Producer } from 'kafkajs';
import type { KafkaConnection } from './connection';
import { requiredTopicConfig } from './topic';

export interface RawMessage {
  partition?: number;
  key?: Buffer | string | null;
  value: Buffer | string | null;
  headers?: Record<string, string>;
}

/** What operators and tests do to topics that services never do. */
export class TopicAdmin {
  private producer: Promise<Producer> | undefined;

  constructor(private readonly connection: KafkaConnection) {}

  /** Sends messages as they are, also such as no schema would take. */
  async produce(topic: string, messages: readonly RawMessage[]): Promise<void> {
    this.producer ??= this.connect();
    const producer = await this.producer;
    await producer.send({ topic: this.connection.topicName(topic), acks: -1, messages: messages.map(toMessage) });
  }

  /** One transaction with these messages, ended as asked; leaves a control record at the end of each partition. */
  async transaction(topic: string, messages: readonly RawMessage[], end: 'commit' | 'abort'): Promise<void> {
    const producer = this.connection.kafka.producer({
      transactionalId: `${this.connection.config.topicPrefix}${topic}-${process.pid}-${Date.now()}-${Math.random()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: this.connection.topicName(topic), acks: -1, messages: messages.map(toMessage) });
    await (end === 'commit' ? transaction.commit() : transaction.abort());
    await producer.disconnect();
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.connection.ask((admin) => admin.deleteTopics({ topics: [this.connection.topicName(topic)] }));
  }

  async createTopic(topic: string, partitions: number, config: Record<string, string> = {}): Promise<void> {
    const configEntries = Object.entries({ ...requiredTopicConfig, ...config }).map(([name, value]) => ({ name, value }));
    const name = this.connection.topicName(topic);
    await this.connection.ask((admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: partitions, configEntries }] }),
    );
  }

  /** Removes what is below `offset`, as retention would. */
  async deleteRecords(topic: string, partition: number, offset: bigint): Promise<void> {
    const partitions = [{ partition, offset: offset.toString() }];
    await this.connection.ask((admin) => admin.deleteTopicRecords({ topic: this.connection.topicName(topic), partitions }));
  }

  async close(): Promise<void> {
    await (await this.producer)?.disconnect();
  }

  private async connect(): Promise<Producer> {
    const producer = this.connection.kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    return producer;
  }
}

function toMessage({ partition, key, value, headers }: RawMessage) {
  return { key: key ?? null, value, ...(partition !== undefined && { partition }), ...(headers && { headers }) };
}
