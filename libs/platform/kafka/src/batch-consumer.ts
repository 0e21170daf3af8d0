import { setTimeout as delay } from 'node:timers/promises';
import {
  KafkaJSNonRetriableError,
  type Consumer,
  type EachBatchPayload,
  type LogEntry,
  type logCreator,
} from 'kafkajs';
import type { KafkaConnection } from './connection';
import { mapKafkaError, within } from './errors';
import { extentOf, messagesOf, type FetchedBatch } from './fetched-batch';
import { Heartbeats } from './heartbeats';
import type { KafkaClient } from './kafka-client';
import { TOPIC_MADE_ANEW } from './kafkajs-repairs';
import { toLogCreator } from './logger';
import { OffsetCommitter } from './offset-committer';
import { Partitions, type TopicPartition } from './partitions';

export interface BatchConsumerOptions {
  /** Without the prefix that topics and groups share. */
  groupId: string;
  topics: readonly string[];
  /**
   * Called after each rebalance with all partitions this consumer has now, none of them paused; batches wait until it
   * resolves. The place to seek. When it fails it is called again, after a pause. Never overlaps with itself.
   */
  onAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void;
  /** Called before `onAssigned`, and again with it, with the partitions that are gone. */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void;
  /**
   * Handles one batch. Calls for one partition never overlap. When it throws, the batch is fetched again after a growing
   * pause, during which other partitions go on.
   */
  onBatch(batch: FetchedBatch): Promise<void>;
  /**
   * The broker does not have the offset that was to be fetched: retention passed it, or the log was cut or made anew.
   * The consumer goes on at the first offset there is, unless told otherwise by `seek` or `pause`.
   */
  onOffsetOutOfRange?(at: TopicPartition): Promise<void> | void;
  /**
   * One of the topics is gone, and may be made anew before the next fetch, or is another one than at the last fetch. Called
   * before whatever is fetched next is handled.
   */
  onTopicGone?(): void;
  /** What is kept beside the offset that is committed once a batch was handled; {@link KafkaConnection.committed} has it. */
  noteOf?(at: TopicPartition): string | undefined;
  /** Everything that went wrong and is tried again. */
  onError(error: unknown): void;
  /** How many partitions are handled side by side; 3 by default. */
  partitionsAtOnce?: number;
  maxBytesPerPartition?: number;
}

const heartbeatMs = 2000;
/** How long a fetch waits for the first byte; also how late a resumed partition may be noticed. */
const maxWaitMs = 250;
/** Without any sign of life from kafkajs for so long (a rebalance takes a minute at most) the consumer is made anew. */
const lifelessAfterMs = 180_000;
const longestRestartMs = 5000;
/** kafkajs' words for the broker's UNKNOWN_TOPIC_OR_PARTITION. */
const noSuchPartition = 'This server does not host this topic-partition';

/**
 * Consumes batches from the earliest offset with read-committed isolation, until stopped: whatever ends kafkajs' consumer,
 * another takes its place. Offsets committed to the group only inform; an owner with a position of its own seeks.
 */
export class BatchConsumer {
  private readonly stopping = new AbortController();
  private readonly partitions = new Partitions({
    pause: ({ topic, partition }) => this.onConsumer((consumer) => consumer.pause([this.named(topic, partition)])),
    resume: ({ topic, partition }) => this.onConsumer((consumer) => consumer.resume([this.named(topic, partition)])),
  });
  private readonly committer = new OffsetCommitter();
  private consumer: Consumer | undefined;
  /** Counts assignments; what was begun for an earlier one is dropped. */
  private generation = 0;
  /** The last assignment that the owner has been told. */
  private announced = 0;
  private announcing: Promise<void> = Promise.resolve();
  private readonly inHand = new Set<Promise<void>>();
  private lastSign = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: BatchConsumerOptions,
  ) {}

  /** Resolves when the group was joined, or when the first attempt failed: it goes on trying, and tells `onError`. */
  async start(): Promise<void> {
    if (this.running) return;
    const started = Promise.withResolvers<void>();
    this.running = this.run(started.resolve);
    await started.promise;
  }

  /** The next batch of this partition is fetched at `offset`. Ignored for a partition that is not assigned (any more). */
  seek(topic: string, partition: number, offset: bigint): void {
    if (!this.partitions.has(topic, partition)) return;
    this.onConsumer((consumer) =>
      consumer.seek({ topic: this.connection.topicName(topic), partition, offset: offset.toString() }),
    );
  }

  /** Until `resume` or the next assignment. A batch in hand counts as not handled. */
  pause(topic: string, partition: number): void {
    this.partitions.pause(topic, partition);
  }

  resume(topic: string, partition: number): void {
    this.partitions.resume(topic, partition);
  }

  assigned(): TopicPartition[] {
    return this.partitions.list();
  }

  /** Waits for the batches in hand, then leaves the group. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.generation += 1;
    this.partitions.assign([]);
    await this.running;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(started: () => void): Promise<void> {
    for (let failures = 0; !this.stopped; failures += 1) {
      const client = this.connection.client({ logCreator: this.logCreator() });
      const consumer = this.createConsumer(client);
      const before = this.generation;
      try {
        await this.consumeUntilCrash(consumer, started);
      } catch (error) {
        if (!this.stopped) this.options.onError(mapKafkaError(error));
      }
      started();
      await this.discard(consumer);
      client.sever();
      if (this.generation !== before) failures = 0; // it had joined
      await this.rest(Math.min(longestRestartMs, 200 * 2 ** failures));
    }
  }

  /** @throws what ended the consumer; resolves when the consumer is stopped. */
  private async consumeUntilCrash(consumer: Consumer, started: () => void): Promise<void> {
    const crash = Promise.withResolvers<never>();
    crash.promise.catch(() => undefined);
    consumer.on(consumer.events.CRASH, ({ payload }) => crash.reject(payload.error));
    consumer.on(consumer.events.FETCH_START, () => this.sign());
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.joined(consumer, payload.memberAssignment));
    const life = setInterval(() => {
      const silent = this.inHand.size === 0 && performance.now() - this.lastSign > lifelessAfterMs;
      if (silent) crash.reject(new Error('the Kafka client went silent'));
    }, 10_000);
    try {
      this.sign();
      this.consumer = consumer;
      // Not cut short by `stop`: a kafkajs consumer that is disconnected while it joins goes on by itself afterwards.
      await Promise.race([this.subscribe(consumer), crash.promise]);
      started();
      await Promise.race([crash.promise, onceAborted(this.stopping.signal)]);
    } finally {
      clearInterval(life);
    }
  }

  private createConsumer({ kafka }: KafkaClient): Consumer {
    const { groupId, maxBytesPerPartition = 2 * 1024 * 1024 } = this.options;
    return kafka.consumer({
      groupId: this.connection.topicName(groupId),
      allowAutoTopicCreation: false,
      readUncommitted: false,
      maxBytesPerPartition,
      maxWaitTimeInMs: maxWaitMs,
      sessionTimeout: this.connection.config.sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: heartbeatMs,
      metadataMaxAge: 10_000, // added partitions are picked up within this time
      // kafkajs starts again only after some errors; here it is always us.
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 5, restartOnFailure: async () => false },
    });
  }

  private async subscribe(consumer: Consumer): Promise<void> {
    await consumer.connect();
    const topics = this.options.topics.map((topic) => this.connection.topicName(topic));
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.options.partitionsAtOnce ?? 3,
      eachBatch: (payload) => this.eachBatch(consumer, payload),
    });
  }

  /** Ends a consumer that crashed or is to stop; waits for its batches, but not for brokers that do not answer. */
  private async discard(consumer: Consumer): Promise<void> {
    await within(2000, 'committing', this.committer.idle()).catch(() => undefined);
    const ended = consumer.disconnect().catch(() => undefined);
    while (this.inHand.size > 0) await Promise.all(this.inHand);
    await within(10_000, 'leaving the group', ended).catch(() => undefined);
    this.consumer = undefined;
  }

  /** kafkajs awaits nothing here: the owner is told in the background, and batches wait for it. */
  private joined(consumer: Consumer, assignment: Record<string, number[]>): void {
    if (consumer !== this.consumer || this.stopped) return;
    this.sign();
    const generation = (this.generation += 1);
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic: this.connection.plainName(topic), partition })),
    );
    const revoked = this.partitions.assign(assigned);
    this.announcing = this.announcing.then(() => this.announce(generation, revoked, assigned));
  }

  private async announce(generation: number, revoked: TopicPartition[], assigned: TopicPartition[]): Promise<void> {
    for (let failures = 0; generation === this.generation; failures += 1) {
      try {
        if (revoked.length > 0) await this.options.onRevoked?.(revoked);
        await this.options.onAssigned?.(assigned);
        this.announced = generation;
        return;
      } catch (error) {
        this.options.onError(error);
        await this.rest(Math.min(longestRestartMs, 100 * 2 ** failures));
      }
    }
  }

  private async eachBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    if (consumer !== this.consumer) return;
    const work = this.handle(payload);
    const settled = work.catch(() => undefined);
    this.inHand.add(settled);
    try {
      await work;
    } finally {
      this.inHand.delete(settled);
      this.sign();
    }
  }

  /** @throws only what the group answered to a heartbeat: kafkajs then joins again. */
  private async handle(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { partition } = batch;
    const topic = this.connection.plainName(batch.topic);
    const generation = this.generation;
    const beats = new Heartbeats(() => payload.heartbeat(), heartbeatMs);
    const isRunning = () =>
      beats.failure === undefined &&
      generation === this.generation &&
      payload.isRunning() &&
      !payload.isStale() &&
      !this.partitions.isPaused(topic, partition);
    try {
      while (this.announced !== generation && isRunning()) {
        await Promise.race([this.announcing, delay(heartbeatMs, undefined, { ref: false })]);
      }
      // What is not resolved is fetched again, here or elsewhere.
      if (isRunning()) await this.deliver(topic, payload, { isRunning, heartbeat: () => beats.beat() });
    } catch (error) {
      if (error !== beats.failure) {
        this.options.onError(error);
        if (generation === this.generation) this.partitions.failed(topic, partition);
      }
    } finally {
      await beats.stop();
    }
    if (beats.failure !== undefined) throw beats.failure;
  }

  private async deliver(
    topic: string,
    { batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload,
    control: Pick<FetchedBatch, 'isRunning' | 'heartbeat'>,
  ): Promise<void> {
    const { partition } = batch;
    const extent = extentOf(batch);
    const highWatermark = BigInt(batch.highWatermark);
    await this.options.onBatch({ topic, partition, ...extent, highWatermark, messages: messagesOf(batch), ...control });
    if (!control.isRunning()) return;
    resolveOffset((extent.nextOffset - 1n).toString());
    this.partitions.succeeded(topic, partition);
    const note = this.options.noteOf?.({ topic, partition }) ?? null;
    const committed = { topic: batch.topic, partition, offset: extent.nextOffset, note };
    this.committer.add(committed, (offsets) => commitOffsetsIfNecessary(offsets));
  }

  private logCreator(): logCreator {
    const create = toLogCreator(this.connection.logger);
    return (level) => {
      const write = create(level);
      return (entry) => {
        this.notice(entry);
        write(entry);
      };
    };
  }

  /**
   * That a topic is gone or made anew, or that an offset is out of range, kafkajs tells nobody but its log, before it goes
   * on: in the last case at the first offset there is.
   */
  private notice({ namespace, log }: LogEntry): void {
    if (namespace === 'Broker' && log.message === TOPIC_MADE_ANEW) this.options.onTopicGone?.();
    if (namespace === 'Connection' && log.message.startsWith('Response Fetch(') && log['error'] === noSuchPartition)
      this.options.onTopicGone?.();
    if (namespace !== 'ConsumerGroup' || !log.message.startsWith('Offset out of range, resetting')) return;
    const at = { topic: this.connection.plainName(String(log['topic'])), partition: Number(log['partition']) };
    // Before the owner had a chance to seek, the offset was only the one committed last.
    if (this.announced !== this.generation || !this.partitions.has(at.topic, at.partition)) return;
    void Promise.resolve(this.options.onOffsetOutOfRange?.(at)).catch((error: unknown) => this.options.onError(error));
  }

  private onConsumer(act: (consumer: Consumer) => void): void {
    if (!this.consumer) return;
    try {
      act(this.consumer);
    } catch (error) {
      // It has crashed: the next assignment begins anew.
      if (!(error instanceof KafkaJSNonRetriableError)) throw error;
    }
  }

  private named(topic: string, partition: number): { topic: string; partitions: number[] } {
    return { topic: this.connection.topicName(topic), partitions: [partition] };
  }

  private sign(): void {
    this.lastSign = performance.now();
  }

  /** Waits with jitter, but not while stopping. */
  private async rest(ms: number): Promise<void> {
    await delay(ms * (0.5 + Math.random() / 2), undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

function onceAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
