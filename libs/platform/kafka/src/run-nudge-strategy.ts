import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { BatchConsumer } from './batch-consumer';
import type { KafkaConnection } from './connection';
import type { FetchedMessage } from './fetched-batch';

export interface RunNudgeOptions {
  /** Told how each message ended: `malformed` is not JSON, `failed` is a handler that threw. */
  observe?(topic: string, outcome: 'handled' | 'failed' | 'malformed'): void;
}

/**
 * Nest transport for messages that only say "look now", to handlers marked `@EventPattern('<topic>')`. A handler's
 * promise is awaited before the offset is committed. Its failure is logged and the message counts as done all the same:
 * what it points at is in the database, and whoever sent it will send it again.
 */
export class RunNudgeStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('kafka-nudges');
  /** The failures are seen here: Nest need not report them as unhandled. */
  override propagatesEventHandlerErrors = true;
  private consumer: BatchConsumer | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly groupId: string,
    private readonly options: RunNudgeOptions = {},
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    const topics = [...this.messageHandlers.keys()];
    if (topics.length === 0) return callback(new Error('no handler is marked with @EventPattern'));
    this.consumer = new BatchConsumer(this.connection, {
      groupId: this.groupId,
      topics,
      onBatch: async (batch) => {
        for (const message of batch.messages) {
          if (!batch.isRunning()) return; // the rest comes again, here or elsewhere
          await this.deliver(batch.topic, batch.partition, message);
        }
      },
      onError: (error) => this.logger.warn({ err: error }, 'nudges cannot be consumed now'),
    });
    this.consumer.start().then(() => callback(), callback);
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

  private async deliver(topic: string, partition: number, message: FetchedMessage): Promise<void> {
    const at = { topic, partition, offset: message.offset.toString() };
    let payload: unknown;
    try {
      payload = JSON.parse(message.value?.toString('utf8') ?? 'null');
    } catch (error) {
      this.logger.warn({ ...at, err: error }, 'a nudge is not JSON');
      return this.options.observe?.(topic, 'malformed');
    }
    try {
      const result: unknown = await this.messageHandlers.get(topic)?.(payload, at);
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      this.options.observe?.(topic, 'handled');
    } catch (error) {
      this.logger.warn({ ...at, err: error }, 'a nudge was not handled');
      this.options.observe?.(topic, 'failed');
    }
  }
}
