import { Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { eventsTopic, type Ledger, numberHeader } from './ledger';
import type { WireEvent } from './wire-event';

export interface ProducerTarget {
  brokers: readonly string[];
  /** Put before the topic's name. */
  topicPrefix?: string;
}

/** What no event can be made of, with the reason code it should be rejected with. */
export interface Poison {
  key: string | null;
  value: Buffer | string | null;
  reason: string;
}

/** Messages to be sent, in order. */
export type Outgoing = { event: WireEvent; partition?: number } | { poison: Poison };

const messagesPerRequest = 300;
/** Brokers limit what one request may bring to one partition. */
const bytesPerRequest = 700_000;

/** An external producer, as any company would write it, that notes in the ledger what it sends. */
export class OracleProducer {
  private constructor(
    private readonly producer: Producer,
    private readonly topic: string,
    private readonly ledger: Ledger,
  ) {}

  static async connect(target: ProducerTarget, ledger: Ledger): Promise<OracleProducer> {
    const kafka = new Kafka({ clientId: 'oracle-producer', brokers: [...target.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    return new OracleProducer(producer, `${target.topicPrefix ?? ''}${eventsTopic}`, ledger);
  }

  /** Sends everything; all of it is durable when this resolves. */
  async send(items: Iterable<Outgoing>): Promise<void> {
    let batch: Message[] = [];
    let bytes = 0;
    for (const item of items) {
      const message = this.note(item);
      const size = message.value?.length ?? 0;
      if (batch.length === messagesPerRequest || bytes + size > bytesPerRequest) {
        await this.flush(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(message);
      bytes += size;
    }
    await this.flush(batch);
  }

  async disconnect(): Promise<void> {
    await this.producer.disconnect();
  }

  private note(item: Outgoing): Message {
    if ('poison' in item) {
      const { key, value } = item.poison;
      return { key, value, headers: this.headers(this.ledger.poison(item.poison.reason).number) };
    }
    const { event, partition } = item;
    const headers = this.headers(this.ledger.event(event).number);
    return { key: keyOf(event), value: JSON.stringify(event), headers, ...(partition !== undefined && { partition }) };
  }

  private headers(number: number): Record<string, string> {
    return { [numberHeader]: String(number) };
  }

  private async flush(messages: Message[]): Promise<void> {
    if (messages.length > 0) await this.producer.send({ topic: this.topic, acks: -1, messages });
  }
}

/** Events of one user should share a partition, hence a key of organization and user. */
export function keyOf(event: WireEvent): string {
  return `${event.organization_id}:${event.user?.id ?? event.user?.organization_user_id ?? event.id ?? ''}`;
}
