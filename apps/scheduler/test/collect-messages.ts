import { BatchConsumer, type FetchedMessage, type KafkaConnection } from '@delivery/platform/kafka';

/** Keeps everything that was ever published on some topics, by topic. */
export class CollectedMessages {
  private readonly messages = new Map<string, FetchedMessage[]>();
  private readonly consumer: BatchConsumer;

  constructor(connection: KafkaConnection, topics: readonly string[]) {
    this.consumer = new BatchConsumer(connection, {
      groupId: 'collect',
      topics,
      onBatch: async ({ topic, messages }) => void this.of(topic).push(...messages),
      onError: () => undefined,
    });
  }

  async start(): Promise<this> {
    await this.consumer.start();
    return this;
  }

  of(topic: string): FetchedMessage[] {
    const found = this.messages.get(topic) ?? [];
    this.messages.set(topic, found);
    return found;
  }

  async stop(): Promise<void> {
    await this.consumer.stop();
  }
}
