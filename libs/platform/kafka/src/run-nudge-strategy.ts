import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { BatchConsumer } from './batch-consumer';
import type { KafkaConnection } from './connection';

/**
 * Nest transport for messages that only say "look now": each handler is awaited, its failure is logged, and the message
 * counts as done either way, because whoever sent it will send it again.
 */
export class RunNudgeStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('kafka-nudges');
  private consumer: BatchConsumer | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly groupId: string,
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.consumer = new BatchConsumer(this.connection, {
      groupId: this.groupId,
      topics: [...this.messageHandlers.keys()],
      onAssigned: async () => undefined,
      onBatch: async (batch) => {
        for (const message of batch.messages) await this.deliver(batch.topic, message.value);
      },
      onError: (error) => this.logger.warn({ error: String(error) }, 'nudge consumer failed'),
    });
    this.consumer.start().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  async close(): Promise<void> {
    await this.consumer?.stop();
  }

  on(): never {
    throw new Error('this transport emits no events');
  }

  unwrap(): never {
    throw new Error('this transport has no client to give out');
  }

  private async deliver(topic: string, value: Buffer | null): Promise<void> {
    try {
      const payload: unknown = value === null ? undefined : JSON.parse(value.toString('utf8'));
      await this.messageHandlers.get(topic)?.(payload);
    } catch (error) {
      this.logger.warn({ topic, error: String(error) }, 'nudge was not handled');
    }
  }
}
