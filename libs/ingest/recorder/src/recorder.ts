import { PositionStore, RejectionStore, type IngestPosition } from '@delivery/ingest/store';
import { BatchConsumer, type FetchedBatch, type KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { inSpan, type Span } from '@delivery/platform/tracing';
import { inOrderOfArrival } from './arrivals';
import { checkLog, noPartitionReason, otherMessageReason } from './check-log';
import { RecorderError } from './errors';
import { fingerprintOf } from './fingerprint';
import { LogWatch } from './log-watch';
import { PositionMoved, type Range, recordRange } from './record-range';
import { base64, describeRange } from './range-span';
import type { RecorderObserver } from './recorder-observer';
import { noteOf, RecordingOrder } from './recording-order';
import { RejectionPublisher } from './rejection-publisher';
import type { LogMessage, LogSource, TopicRecorder } from './topic-recorder';

export interface RecorderOptions {
  /** Name of this recorder's rows in `ingest_position`. */
  consumer: string;
  groupId: string;
  topics: readonly TopicRecorder[];
  /** Messages in one transaction at most. */
  batchSize: number;
  /** How often stopped and standing partitions are looked at, and left-over rejections are published, in milliseconds. */
  recheckMs: number;
  /** How long a partition may stand still, with messages waiting, until that is a fault, in milliseconds. */
  stalledMs: number;
}

export interface RecorderDeps {
  database: Database;
  connection: KafkaConnection;
  observer: RecorderObserver;
}

interface PartitionState {
  position: IngestPosition;
  /** Set until the message at this offset was seen to be the one recorded before. */
  expectFingerprintAt: bigint | undefined;
  /** The log may be another by now: nothing more is recorded before it was compared again. */
  doubted?: boolean;
}

/**
 * Reads topics and records each message exactly once (architecture, rules 4, 5 and 9). Any number of recorders may run;
 * the row lock on the position, not Kafka's group, decides who records.
 */
export class Recorder {
  private readonly positions = new PositionStore();
  private readonly rejections = new RejectionStore();
  private readonly states = new Map<string, PartitionState>();
  private readonly stopped = new Map<string, { topic: string; partition: number; reason: string }>();
  /** Partitions that wait until the others are as far as they were when this one went on the first time. */
  private readonly waiting = new Map<string, { topic: string; partition: number }>();
  private readonly order: RecordingOrder;
  private readonly watch: LogWatch;
  /** What is wrong with the topics, and which partitions stand still, as of the last look. */
  private seen: string[] = [];
  private readonly consumer: BatchConsumer;
  private readonly publisher: RejectionPublisher;
  private timer: NodeJS.Timeout | undefined;
  private rechecking: Promise<void> | undefined;
  private joined = false;

  constructor(
    private readonly deps: RecorderDeps,
    private readonly options: RecorderOptions,
  ) {
    this.publisher = new RejectionPublisher(
      deps.database,
      deps.connection.publisher(),
      this.rejections,
      new Map(options.topics.map((topic) => [topic.topic, topic.rejectedTopic])),
    );
    const topics = options.topics.map(({ topic }) => topic);
    this.order = new RecordingOrder(deps, { ...options, topics });
    this.watch = new LogWatch(
      deps,
      options.consumer,
      topics,
      Math.max(1, Math.ceil(options.stalledMs / options.recheckMs)),
    );
    this.consumer = new BatchConsumer(deps.connection, {
      groupId: options.groupId,
      topics,
      onAssigned: (assigned) => this.assigned(assigned),
      onBatch: (batch) => this.handle(batch),
      // A log that was emptied or made anew brings no batch that would tell.
      onOffsetOutOfRange: ({ topic, partition }) => this.verify(topic, partition),
      // Nor does a log made anew that has grown beyond the position by the next fetch: all are compared again.
      onTopicGone: () => this.doubt(() => true),
      noteOf: ({ topic, partition }) => this.noteOf(`${topic} ${partition}`),
      onError: (error) => deps.observer.failed(error, 'consumer'),
    });
  }

  /** @throws RecorderError `unfit_topic` when a topic could lose or reorder what it holds. */
  async start(): Promise<void> {
    for (const { topic } of this.options.topics) {
      const faults = await this.deps.connection.topicFaults(topic);
      if (faults.length > 0) throw new RecorderError('unfit_topic', faults.join(' '));
    }
    await this.consumer.start();
    this.timer = setInterval(() => {
      this.rechecking ??= this.recheck().finally(() => (this.rechecking = undefined));
    }, this.options.recheckMs);
  }

  /** Finishes the transaction under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([this.consumer.stop(), this.rechecking]);
    await this.publisher.idle();
  }

  /** Sentences for the partitions that do not move, empty when all is well. */
  faults(): string[] {
    return [...this.stopped.values()].map(({ reason }) => reason).concat(this.seen);
  }

  private async assigned(assigned: readonly { topic: string; partition: number }[]): Promise<void> {
    this.joined = true;
    this.states.clear();
    this.waiting.clear();
    await this.order.compareWithKafka();
    this.deps.observer.owns(assigned);
    const own = new Set(assigned.map(({ topic, partition }) => `${topic} ${partition}`));
    for (const [key, { topic, partition }] of [...this.stopped]) {
      if (own.has(key)) continue;
      this.stopped.delete(key); // another recorder's now, which will find what is wrong with it
      this.deps.observer.resumed(topic, partition);
    }
    for (const { topic, partition } of assigned) {
      await this.verify(topic, partition).catch((error: unknown) => {
        // The topic was made anew, with fewer partitions: the others go on.
        if (!(error instanceof RecorderError)) throw error;
        this.deps.observer.failed(error, 'assignment');
      });
    }
  }

  /** Checks the stored position against the log and seeks to it, or stops the partition. */
  private async verify(topic: string, partition: number): Promise<void> {
    const key = `${topic} ${partition}`;
    this.states.delete(key);
    const { database } = this.deps;
    const log = await this.extent(topic, partition);
    let position = await this.positions.find(database, this.options.consumer, topic, partition);
    if (position === undefined && log !== undefined) {
      const { clusterId, low: firstOffset } = log;
      await this.positions.begin(database, {
        consumer: this.options.consumer,
        topic,
        partition,
        clusterId,
        firstOffset,
      });
      this.deps.observer.began(topic, partition, log.low);
      position = await this.positions.find(database, this.options.consumer, topic, partition);
    }
    if (position === undefined)
      throw new RecorderError('no_position', `No position for partition ${partition} of ${topic}.`);
    if (position.held) return this.stopPartition(position, await this.order.heldReason(position));
    if (log === undefined) return this.stopPartition(position, noPartitionReason(position));
    await this.order.load();
    const check = checkLog(position, log);
    if (!check.ok) return this.stopPartition(position, check.reason);
    const state = { position, expectFingerprintAt: check.expectFingerprint ? check.seekTo : undefined };
    // A partition that only seemed to be gone: whoever has it compares the rest.
    if (!this.isOwn(key)) return this.proven(key, state);
    this.states.set(key, state);
    this.consumer.seek(topic, partition, check.seekTo);
    if (!check.expectFingerprint) await this.proven(key, state);
  }

  /** @returns undefined for a partition that the topic does not have. */
  private async extent(topic: string, partition: number) {
    const [clusterId, watermarks] = await Promise.all([
      this.deps.connection.clusterId(),
      this.deps.connection.watermarks(topic),
    ]);
    const own = watermarks.find((w) => w.partition === partition);
    return own && { clusterId, low: own.low, high: own.high };
  }

  /** The log is the one that was recorded: a partition that was stopped goes on. */
  private async proven(key: string, state: PartitionState): Promise<void> {
    state.expectFingerprintAt = undefined;
    const { position } = state;
    if (position.status === 'stopped') await this.positions.resume(this.deps.database, position);
    state.position = { ...position, status: 'running', stoppedReason: undefined };
    if (this.stopped.delete(key)) this.deps.observer.resumed(position.topic, position.partition);
  }

  private async stopPartition(position: IngestPosition, reason: string): Promise<void> {
    const { topic, partition } = position;
    const key = `${topic} ${partition}`;
    const known = this.stopped.get(key)?.reason === reason;
    this.states.delete(key);
    // What happened to one partition's log has most likely happened to the topic's others, too.
    this.doubt((position) => position.topic === topic);
    this.stopped.set(key, { topic, partition, reason });
    this.consumer.pause(topic, partition);
    if (position.status !== 'stopped' || position.stoppedReason !== reason)
      await this.positions.stop(this.deps.database, position, reason);
    if (!known) this.deps.observer.stopped(topic, partition, reason);
  }

  private doubt(which: (position: IngestPosition) => boolean): void {
    for (const state of this.states.values()) if (which(state.position)) state.doubted = true;
  }

  private async recheck(): Promise<void> {
    for (const work of [
      () => this.recheckStopped(),
      () => this.look(),
      () => this.lookBack(),
      () => this.publisher.flush(),
    ]) {
      await work().catch((error: unknown) => this.deps.observer.failed(error, 'recheck'));
    }
  }

  private async recheckStopped(): Promise<void> {
    for (const [key, { topic, partition }] of [...this.stopped]) {
      await this.verify(topic, partition).catch((error: unknown) => this.deps.observer.failed(error, 'recheck'));
      // It counts as stopped until its next batch has proven which log this is.
      if (this.states.has(key)) this.consumer.resume(topic, partition);
    }
  }

  private async look(): Promise<void> {
    const { faults, gone } = await this.watch.look((key) => !this.joined || this.isOwn(key));
    this.seen = faults;
    for (const position of gone) await this.stopPartition(position, noPartitionReason(position));
  }

  /** A database that went back while nothing arrives would otherwise be noticed by the next message only. */
  private async lookBack(): Promise<void> {
    this.wakeWaiting();
    const before = [...this.states.values()].map(({ position }) => position);
    const now = await this.positions.readAll(this.deps.database, this.options.consumer);
    for (const position of before) {
      const { topic, partition } = position;
      const found = now.find((each) => each.topic === topic && each.partition === partition);
      const wentBack = await this.order.compare(position, found);
      if (wentBack || found?.held) await this.verify(topic, partition);
    }
  }

  private noteOf(key: string): string | undefined {
    const state = this.states.get(key);
    return state && noteOf(state.position);
  }

  private isOwn(key: string): boolean {
    return this.consumer.assigned().some(({ topic, partition }) => `${topic} ${partition}` === key);
  }

  private async handle(batch: FetchedBatch): Promise<void> {
    const key = `${batch.topic} ${batch.partition}`;
    try {
      await this.handleChecked(key, batch);
    } catch (error) {
      this.states.delete(key); // however long the repetition takes, the log is compared again before
      throw error;
    }
  }

  private async handleChecked(key: string, batch: FetchedBatch): Promise<void> {
    const state = this.states.get(key);
    if (state === undefined && this.stopped.has(key)) return this.consumer.pause(batch.topic, batch.partition);
    // Not checked yet, or fetched somewhere else than asked (the log moved under us): check again, record nothing.
    const expected = state?.expectFingerprintAt ?? state?.position.nextOffset;
    if (state === undefined || state.doubted || batch.fetchedOffset !== expected) {
      return this.verify(batch.topic, batch.partition);
    }
    const messages = batch.messages.map(toLogMessage);
    if (state.expectFingerprintAt !== undefined) {
      if (!this.sameLog(state, messages)) return this.stopPartition(state.position, otherMessageReason(state.position));
      await this.proven(key, state);
    }
    await this.recordBatch(batch, state, messages);
  }

  private sameLog(state: PartitionState, messages: readonly LogMessage[]): boolean {
    const message = messages.find((m) => m.offset === state.expectFingerprintAt);
    const { fingerprint } = state.position;
    return message !== undefined && fingerprint !== undefined && fingerprintOf(message).equals(fingerprint);
  }

  private async recordBatch(
    batch: FetchedBatch,
    state: PartitionState,
    messages: readonly LogMessage[],
  ): Promise<void> {
    const recorder = this.options.topics.find((t) => t.topic === batch.topic);
    if (recorder === undefined) throw new RecorderError('unfit_topic', `No recorder for topic ${batch.topic}.`);
    const { topic, topicId, partition, epoch, clusterId } = state.position;
    const source: LogSource = { clusterId, topic, topicId, partition, epoch };
    const unread = messages.filter((m) => m.offset >= state.position.nextOffset);
    const fresh = inOrderOfArrival(unread, state.position.arrivedAt);
    let begin = 0;
    while (state.position.nextOffset < batch.nextOffset && batch.isRunning()) {
      const limit = (await this.order.limit(state.position)) ?? batch.nextOffset;
      if (limit <= state.position.nextOffset) return this.waitForOthers(state);
      const part = fresh.slice(begin, begin + this.options.batchSize).filter(({ offset }) => offset < limit);
      begin += part.length;
      const items = part.map((message) => recorder.prepare(message, source));
      const nextOffset = lesser(fresh[begin]?.offset ?? batch.nextOffset, limit);
      try {
        const range = { items, nextOffset };
        const begun = performance.now();
        const result = await inSpan(
          `record ${topic}`,
          () => describeRange(state.position, range),
          (span) => this.recordRange(recorder, state.position, range, span),
        );
        state.position = result.position;
        this.deps.observer.recorded(topic, (performance.now() - begun) / 1000);
        this.deps.observer.behind(topic, partition, batch.highWatermark - nextOffset, result.position.arrivedAt);
        if (result.counted.rejected > 0n)
          void this.publisher.flush().catch((error) => this.deps.observer.failed(error, 'rejections'));
      } catch (error) {
        if (!(error instanceof PositionMoved)) throw error;
        await this.order.compare(state.position, error.current);
        return this.verify(topic, partition);
      }
      if (nextOffset === limit) this.wakeWaiting();
      await batch.heartbeat();
    }
  }

  /** The rest of the batch is fetched again. */
  private waitForOthers({ position: { topic, partition, nextOffset } }: PartitionState): void {
    this.waiting.set(`${topic} ${partition}`, { topic, partition });
    this.consumer.seek(topic, partition, nextOffset);
    this.consumer.pause(topic, partition);
  }

  private wakeWaiting(): void {
    for (const { topic, partition } of this.waiting.values()) this.consumer.resume(topic, partition);
    this.waiting.clear();
  }

  private async recordRange(recorder: TopicRecorder, position: IngestPosition, range: Range<unknown>, span: Span) {
    const { database, observer } = this.deps;
    const { positions, rejections } = this;
    const counted = observer.counted.bind(observer);
    const result = await recordRange({ database, positions, rejections, counted }, recorder, position, range);
    for (const [outcome, count] of Object.entries(result.counted)) span.set({ [`delivery.${outcome}`]: Number(count) });
    return result;
  }
}

function toLogMessage(message: FetchedBatch['messages'][number]): LogMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    const values = Array.isArray(value) ? value : [value ?? ''];
    headers[base64(name)] = values.map(base64).join(',');
  }
  const { offset, key, value, timestamp } = message;
  return { offset, key, value, headers, appendedAt: timestamp, arrivedAt: timestamp };
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
