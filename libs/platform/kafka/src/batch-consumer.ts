import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { KafkaConnection } from './connection';

export interface FetchedMessage {
  offset: bigint;
  key: Buffer | null;
  value: Buffer | null;
  headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /** The log's append time. */
  timestamp: Date;
}

/** One fetch of one partition. */
export interface FetchedBatch {
  topic: string;
  partition: number;
  /** The offset that was asked for. */
  fetchedOffset: bigint;
  /** First offset after this batch, control and aborted records included. */
  nextOffset: bigint;
  /** End of the partition's log when the batch was fetched. */
  highWatermark: bigint;
  /** Committed data only; empty when the batch held nothing but control or aborted records. */
  messages: FetchedMessage[];
  /** False once the partition was revoked or sought, or the consumer stops: finish the unit of work and return. */
  isRunning(): boolean;
  heartbeat(): Promise<void>;
}

export interface BatchConsumerOptions {
  groupId: string;
  topics: readonly string[];
  /** Called after each rebalance; batches may arrive before it has finished. */
  onAssigned(partitions: readonly { topic: string; partition: number }[]): Promise<void>;
  /** A batch whose handling throws is fetched again, after a pause. Calls for one partition never overlap. */
  onBatch(batch: FetchedBatch): Promise<void>;
  onError(error: unknown): void;
  partitionsAtOnce?: number;
  maxBytesPerPartition?: number;
}

const longestPauseMs = 5000;
const commitEveryMs = 1000;

/**
 * Consumes batches from the earliest offset with read-committed isolation. Committed group offsets are informative: the
 * owner seeks to its own position. Never gives up: the consumer is made anew when kafkajs ends it.
 */
export class BatchConsumer {
  private consumer: Consumer | undefined;
  private stopping = false;
  private readonly queues = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, number>();
  private readonly commits = new Map<string, number>();
  private readonly next = new Map<string, bigint>();
  private restarting: Promise<void> | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: BatchConsumerOptions,
  ) {}

  async start(): Promise<void> {
    const consumer = this.connection.kafka.consumer({
      groupId: this.connection.topicName(this.options.groupId),
      allowAutoTopicCreation: false,
      readUncommitted: false,
      maxBytesPerPartition: this.options.maxBytesPerPartition ?? 2 * 1024 * 1024,
      maxWaitTimeInMs: 250,
      sessionTimeout: 30_000,
      heartbeatInterval: 3_000,
      metadataMaxAge: 30_000, // added partitions are picked up within this time
      retry: { initialRetryTime: 100, maxRetryTime: 5000, retries: 5, restartOnFailure: async () => !this.stopping },
    });
    this.consumer = consumer;
    this.listen(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: this.options.topics.map((t) => this.connection.topicName(t)), fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.options.partitionsAtOnce ?? 3,
      eachBatch: (payload) => this.eachBatch(payload),
    });
  }

  /** The next batch of this partition is fetched at `offset`. */
  seek(topic: string, partition: number, offset: bigint): void {
    this.next.set(`${topic} ${partition}`, offset);
    this.consumer?.seek({ topic: this.connection.topicName(topic), partition, offset: offset.toString() });
  }

  pause(topic: string, partition: number): void {
    this.consumer?.pause([{ topic: this.connection.topicName(topic), partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    this.consumer?.resume([{ topic: this.connection.topicName(topic), partitions: [partition] }]);
  }

  /** Waits for the batches under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.restarting;
    await this.consumer?.disconnect();
    await Promise.allSettled(this.queues.values());
  }

  private listen(consumer: Consumer): void {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic: this.plainName(topic), partition })),
      );
      this.next.clear();
      this.options.onAssigned(assigned).catch((error: unknown) => this.options.onError(error));
    });
    // kafkajs passes batches of only control or aborted records by itself and tells of them only here.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return;
      void this.inOrder(this.plainName(payload.topic), payload.partition, async (key) => {
        const first = payload.firstOffset === null ? undefined : BigInt(payload.firstOffset);
        await this.deliver(key, {
          topic: this.plainName(payload.topic),
          partition: payload.partition,
          fetchedOffset: this.next.get(key) ?? first ?? BigInt(payload.lastOffset),
          nextOffset: BigInt(payload.lastOffset) + 1n,
          highWatermark: BigInt(payload.highWatermark),
          messages: [],
          isRunning: () => !this.stopping,
          heartbeat: async () => undefined,
        });
      });
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.options.onError(payload.error);
      if (!payload.restart && !this.stopping) this.restarting = this.restart();
    });
  }

  private async restart(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.consumer?.disconnect().catch(() => undefined);
        return await this.start();
      } catch (error) {
        this.options.onError(error);
        await delay(1000);
      }
    }
  }

  private async eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const topic = this.plainName(batch.topic);
    await this.inOrder(topic, batch.partition, async (key) => {
      if (payload.isStale() || !payload.isRunning()) return;
      const fetched = batch as typeof batch & { fetchedOffset: string };
      const nextOffset = BigInt(batch.lastOffset()) + 1n;
      const done = await this.deliver(key, {
        topic,
        partition: batch.partition,
        fetchedOffset: BigInt(fetched.fetchedOffset),
        nextOffset,
        highWatermark: BigInt(batch.highWatermark),
        messages: batch.messages.map((message) => ({
          offset: BigInt(message.offset),
          key: message.key,
          value: message.value,
          headers: message.headers ?? {},
          timestamp: new Date(Number(message.timestamp)),
        })),
        isRunning: () => payload.isRunning() && !payload.isStale() && !this.stopping,
        heartbeat: () => payload.heartbeat(),
      });
      if (!done || payload.isStale()) return;
      payload.resolveOffset(batch.lastOffset());
      await this.commit(key, payload, nextOffset);
    });
  }

  private inOrder(topic: string, partition: number, work: (key: string) => Promise<void>): Promise<void> {
    const key = `${topic} ${partition}`;
    const mine = (this.queues.get(key) ?? Promise.resolve()).then(() => work(key));
    this.queues.set(key, mine.catch(() => undefined));
    return mine;
  }

  /** @returns whether the batch was handled; if not, kafkajs fetches it again. */
  private async deliver(key: string, batch: FetchedBatch): Promise<boolean> {
    try {
      await this.options.onBatch(batch);
      // A handler that sought elsewhere has set the next offset itself.
      if (this.next.get(key) === undefined || this.next.get(key) === batch.fetchedOffset) this.next.set(key, batch.nextOffset);
      this.failures.delete(key);
      return true;
    } catch (error) {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      this.options.onError(error);
      if (!this.stopping) await delay(Math.min(longestPauseMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2));
      return false;
    }
  }

  private async commit(key: string, payload: EachBatchPayload, offset: bigint): Promise<void> {
    if (Date.now() - (this.commits.get(key) ?? 0) < commitEveryMs) return;
    this.commits.set(key, Date.now());
    const { topic, partition } = payload.batch;
    const offsets = [{ topic, partitions: [{ partition, offset: offset.toString() }] }];
    // Only for people who watch the group's lag; the owner's position is elsewhere.
    await payload.commitOffsetsIfNecessary({ topics: offsets }).catch(() => undefined);
  }

  private plainName(topic: string): string {
    return topic.slice(this.connection.config.topicPrefix.length);
  }
}
