import type { Message } from 'kafkajs';
import type { KafkaConnection } from './connection';
import { isLostSequence, KafkaError, mapKafkaError } from './errors';
import { IdempotentProducer } from './idempotent-producer';
import type { OutgoingMessage, PublishedAt } from './publisher';

/** The broker refuses a batch of one partition beyond its message.max.bytes; nothing says how a batch will spread. */
const maxBatchBytes = 900_000;
const maxBatchMessages = 5000;
/** What kafkajs and Kafka add to a message, generously. */
const frameBytes = 80;
/** Beyond this, callers are told to come again instead of filling the memory. */
const maxWaitingBytes = 64 * 1024 * 1024;
/** After a failure callers fail at once for this long, rather than each waiting for its own time-out. */
const refuseAfterFailureMs = 1000;

interface Call {
  readonly results: PublishedAt[];
  missing: number;
  settled: boolean;
  /** Sent in a request of its own: something in its last request was refused. */
  alone: boolean;
  settle(error?: unknown): void;
}

interface Item {
  readonly call: Call;
  readonly index: number;
  readonly message: Message;
  readonly bytes: number;
}

/**
 * What waits to be published to one topic. kafkajs sends each call at once; here calls of one turn of the event loop, and
 * all that arrive while a request is under way, share the next request. Nobody waits for others who might come.
 */
export class TopicLane {
  private waiting: Item[] = [];
  private waitingBytes = 0;
  private producer: IdempotentProducer | undefined;
  private soon: NodeJS.Immediate | undefined;
  private sending: Promise<void> | undefined;
  private known = false;
  private refuseUntil = 0;
  private lastFailure: KafkaError | undefined;
  /** Since when nothing was acknowledged of all that was tried, and when it was tried last. */
  private failing: { since: number; last: number; reason: string } | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly topic: string,
  ) {}

  publish(
    messages: readonly OutgoingMessage[],
    sizes: readonly number[],
    signal?: AbortSignal,
  ): Promise<PublishedAt[]> {
    // While the request that finds out whether the broker is back is under way, nobody else waits for the answer.
    if (this.lastFailure && (this.sending || performance.now() < this.refuseUntil))
      return Promise.reject(this.lastFailure);
    if (this.waitingBytes > maxWaitingBytes) {
      return Promise.reject(
        new KafkaError('overloaded', `Kafka: too much is waiting to be published to ${this.topic}`),
      );
    }
    return new Promise((resolve, reject) => {
      const call = this.callOf(messages.length, resolve, reject, signal);
      messages.forEach(({ key, value, headers }, index) => {
        const bytes = (sizes[index] ?? 0) + frameBytes;
        this.waitingBytes += bytes;
        this.waiting.push({ call, index, bytes, message: { key, value, ...(headers && { headers }) } });
      });
      this.soon ??= setImmediate(() => this.drain());
    });
  }

  /**
   * A sentence when nothing was acknowledged for too long, of what was tried. Silent again when nobody has tried for a
   * while: whoever is told to stay away because of it would otherwise never find out that it is over.
   */
  fault(afterSeconds: number, now = performance.now()): string | undefined {
    if (this.failing === undefined) return undefined;
    const { since, last, reason } = this.failing;
    const seconds = Math.round((now - since) / 1000);
    if (seconds < afterSeconds || now - last > Math.max(2 * afterSeconds, 60) * 1000) return undefined;
    return `Nothing could be published to ${this.topic} for ${seconds} s: ${reason}`;
  }

  /** Sends what is waiting, then disconnects. */
  async close(): Promise<void> {
    this.drain();
    await this.sending;
    await this.producer?.close();
    this.producer = undefined;
  }

  private callOf(
    count: number,
    resolve: (results: PublishedAt[]) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ): Call {
    const { publishTimeoutMs } = this.connection.config;
    const late = () => {
      const error = new KafkaError('broker_unavailable', `Kafka did not acknowledge within ${publishTimeoutMs} ms`);
      this.refuseForAWhile(error);
      call.settle(error);
    };
    const timer = setTimeout(late, publishTimeoutMs);
    const onAbort = () => call.settle(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const call: Call = {
      results: new Array<PublishedAt>(count),
      missing: count,
      settled: false,
      alone: false,
      settle(error) {
        if (call.settled) return;
        call.settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve(call.results);
        else reject(error);
      },
    };
    return call;
  }

  private drain(): void {
    clearImmediate(this.soon);
    this.soon = undefined;
    // One request at a time; a drain under way takes up what came meanwhile.
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  private async sendAll(): Promise<void> {
    for (let batch = this.take(); batch.length > 0; batch = this.take()) {
      try {
        await this.send(batch);
        this.lastFailure = undefined;
      } catch (error) {
        this.failed(batch, error);
      }
    }
  }

  /** The next request: at least one message, never those of a call that was given up, nothing beside a call sent alone. */
  private take(): Item[] {
    const batch: Item[] = [];
    let bytes = 0;
    let end = 0;
    for (; end < this.waiting.length && batch.length < maxBatchMessages; end += 1) {
      const item = this.waiting[end];
      if (item === undefined || item.call.settled) continue;
      const first = batch[0]?.call;
      if (first && (bytes + item.bytes > maxBatchBytes || ((first.alone || item.call.alone) && first !== item.call)))
        break;
      bytes += item.bytes;
      batch.push(item);
    }
    for (const item of this.waiting.splice(0, end)) this.waitingBytes -= item.bytes;
    return batch;
  }

  private async send(batch: readonly Item[]): Promise<void> {
    if (!this.known) await this.findTopic();
    try {
      await this.sendOnce(batch);
    } catch (error) {
      if (!isLostSequence(error)) throw error;
      // The partition that complained has written nothing; a new producer begins at zero. Another partition of the same
      // request may have written its part, which is then there twice.
      await this.sendOnce(batch);
    }
  }

  private async sendOnce(batch: readonly Item[]): Promise<void> {
    const producer = (this.producer ??= new IdempotentProducer(
      this.connection,
      this.connection.config.publishTimeoutMs,
    ));
    try {
      const places = await producer.send(
        this.connection.topicName(this.topic),
        batch.map(({ message }) => message),
      );
      this.failing = undefined;
      batch.forEach(({ call, index }, i) => {
        const place = places[i];
        if (place) call.results[index] = place;
        call.missing -= 1;
        if (call.missing === 0) call.settle();
      });
    } catch (error) {
      this.producer = undefined;
      producer.discard();
      throw error;
    }
  }

  /** kafkajs would ask for a topic that does not exist until the time is up. */
  private async findTopic(): Promise<void> {
    if (!(await this.connection.topicExists(this.topic))) {
      const name = this.connection.topicName(this.topic);
      throw new KafkaError('unknown_topic', `Kafka: topic ${name} does not exist. Create it: npm run topics`);
    }
    this.known = true;
  }

  private failed(batch: readonly Item[], error: unknown): void {
    const mapped = mapKafkaError(error);
    if (mapped.code !== 'message_too_large') this.noteFailure(mapped);
    const calls = new Set(batch.map(({ call }) => call));
    if (mapped.retryable) {
      this.refuseForAWhile(mapped);
    } else {
      this.lastFailure = undefined; // the broker is there
      this.known = false; // the topic may have been deleted
      const onlyOneMayBeToBlame = mapped.code === 'message_too_large' || mapped.code === 'failed';
      if (onlyOneMayBeToBlame && calls.size > 1) return this.sendEachAlone(batch, calls);
    }
    for (const call of calls) call.settle(mapped);
  }

  private noteFailure({ message }: KafkaError): void {
    const last = performance.now();
    this.failing = { since: this.failing?.since ?? last, last, reason: message };
  }

  private refuseForAWhile(error: KafkaError): void {
    this.noteFailure(error);
    this.lastFailure = error;
    this.refuseUntil = performance.now() + refuseAfterFailureMs;
  }

  /** One call's message was refused: the others shall not fail with it. What was written already is written again. */
  private sendEachAlone(batch: readonly Item[], calls: ReadonlySet<Call>): void {
    for (const call of calls) call.alone = true;
    this.waiting.unshift(...batch);
    for (const item of batch) this.waitingBytes += item.bytes;
  }
}
