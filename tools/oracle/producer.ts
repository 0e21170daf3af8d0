import { Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { eventsTopic, type Ledger, numberHeader, type Produced } from './ledger';
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

interface Noted {
  produced: Produced;
  message: Message;
}

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
    let batch: Noted[] = [];
    let bytes = 0;
    for (const item of items) {
      const message = this.note(item);
      const size = message.message.value?.length ?? 0;
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

  private note(item: Outgoing): Noted {
    if ('poison' in item) {
      const { key, value, reason } = item.poison;
      const produced = this.ledger.poison(reason);
      return { produced, message: { key, value, headers: this.headers(produced.number) } };
    }
    const { event, partition } = item;
    const produced = this.ledger.event(event);
    const headers = this.headers(produced.number);
    const message = { key: keyOf(event), value: JSON.stringify(event), headers };
    return { produced, message: { ...message, ...(partition !== undefined && { partition }) } };
  }

  private headers(number: number): Record<string, string> {
    return { [numberHeader]: String(number) };
  }

  private async flush(batch: readonly Noted[]): Promise<void> {
    if (batch.length === 0) return;
    await this.producer.send({ topic: this.topic, acks: -1, messages: batch.map(({ message }) => message) });
    for (const { produced } of batch) produced.acknowledged = true;
  }
}

/** Events of one user should share a partition, hence a key of organization and user. */
export function keyOf(event: WireEvent): string {
  return `${event.organization_id}:${event.user?.id ?? event.user?.organization_user_id ?? event.id ?? ''}`;
}
