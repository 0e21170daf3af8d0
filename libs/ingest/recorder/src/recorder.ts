import { PositionStore, RejectionStore, type Counters, type IngestPosition } from '@delivery/ingest/store';
import { BatchConsumer, type FetchedBatch, type KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { checkLog, otherMessageReason } from './check-log';
import { RecorderError } from './errors';
import { fingerprintOf } from './fingerprint';
import { PositionMoved, recordRange } from './record-range';
import { RejectionPublisher } from './rejection-publisher';
import type { LogMessage, LogSource, TopicRecorder } from './topic-recorder';

export interface RecorderObserver {
  counted(topic: string, partition: number, counted: Counters, lag: bigint): void;
  stopped(topic: string, partition: number, reason: string): void;
  resumed(topic: string, partition: number): void;
  failed(error: unknown, where: string): void;
}

export interface RecorderOptions {
  /** Name of this recorder's rows in `ingest_position`. */
  consumer: string;
  groupId: string;
  topics: readonly TopicRecorder[];
  /** Messages in one transaction at most. */
  batchSize: number;
  /** How often a stopped partition is looked at again, and left-over rejections are published, in milliseconds. */
  recheckMs: number;
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
  private readonly consumer: BatchConsumer;
  private readonly publisher: RejectionPublisher;
  private timer: NodeJS.Timeout | undefined;

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
    this.consumer = new BatchConsumer(deps.connection, {
      groupId: options.groupId,
      topics: options.topics.map((topic) => topic.topic),
      onAssigned: (assigned) => this.assigned(assigned),
      onBatch: (batch) => this.handle(batch),
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
    this.timer = setInterval(() => void this.recheck(), this.options.recheckMs);
  }

  /** Finishes the transaction under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.consumer.stop();
    await this.publisher.idle();
  }

  /** Sentences for the partitions that do not move, empty when all is well. */
  faults(): string[] {
    return [...this.stopped.values()].map(({ reason }) => reason);
  }

  private async assigned(assigned: readonly { topic: string; partition: number }[]): Promise<void> {
    this.states.clear();
    for (const { topic, partition } of assigned) await this.verify(topic, partition);
  }

  /** Checks the stored position against the log and seeks to it, or stops the partition. */
  private async verify(topic: string, partition: number): Promise<void> {
    const key = `${topic} ${partition}`;
    this.states.delete(key);
    const log = await this.extent(topic, partition);
    let position = await this.positions.find(this.deps.database, this.options.consumer, topic, partition);
    if (position === undefined) {
      const start = {
        consumer: this.options.consumer,
        topic,
        partition,
        clusterId: log.clusterId,
        firstOffset: log.low,
      };
      await this.positions.begin(this.deps.database, start);
      position = await this.positions.find(this.deps.database, this.options.consumer, topic, partition);
    }
    if (position === undefined)
      throw new RecorderError('no_position', `No position for partition ${partition} of ${topic}.`);
    const check = checkLog(position, log);
    if (!check.ok) return this.stopPartition(position, check.reason);
    this.states.set(key, { position, expectFingerprintAt: check.expectFingerprint ? check.seekTo : undefined });
    this.consumer.seek(topic, partition, check.seekTo);
    if (position.status === 'stopped') await this.positions.resume(this.deps.database, position);
    if (this.stopped.delete(key)) this.deps.observer.resumed(topic, partition);
  }

  private async extent(topic: string, partition: number) {
    const [clusterId, watermarks] = await Promise.all([
      this.deps.connection.clusterId(),
      this.deps.connection.watermarks(topic),
    ]);
    const own = watermarks.find((w) => w.partition === partition);
    if (own === undefined) {
      throw new RecorderError('no_partition', `Topic ${topic} has no partition ${partition} any more.`);
    }
    return { clusterId, low: own.low, high: own.high };
  }

  private async stopPartition(position: IngestPosition, reason: string): Promise<void> {
    const { topic, partition } = position;
    this.states.delete(`${topic} ${partition}`);
    this.stopped.set(`${topic} ${partition}`, { topic, partition, reason });
    this.consumer.pause(topic, partition);
    await this.positions.stop(this.deps.database, position, reason);
    this.deps.observer.stopped(topic, partition, reason);
  }

  private async recheck(): Promise<void> {
    try {
      for (const { topic, partition, reason } of [...this.stopped.values()]) {
        await this.verify(topic, partition);
        if (!this.stopped.has(`${topic} ${partition}`)) this.consumer.resume(topic, partition);
        else this.stopped.set(`${topic} ${partition}`, { topic, partition, reason });
      }
      await this.publisher.flush();
    } catch (error) {
      this.deps.observer.failed(error, 'recheck');
    }
  }

  private async handle(batch: FetchedBatch): Promise<void> {
    const key = `${batch.topic} ${batch.partition}`;
    if (this.stopped.has(key)) return this.consumer.pause(batch.topic, batch.partition);
    const state = this.states.get(key);
    // Not checked yet, or fetched somewhere else than asked (the log moved under us): check again, record nothing.
    if (state === undefined || batch.fetchedOffset !== (state.expectFingerprintAt ?? state.position.nextOffset)) {
      return this.verify(batch.topic, batch.partition);
    }
    const messages = batch.messages.map(toLogMessage);
    if (state.expectFingerprintAt !== undefined && !this.sameLog(state, messages)) {
      return this.stopPartition(state.position, otherMessageReason(state.position));
    }
    state.expectFingerprintAt = undefined;
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
    const fresh = messages.filter((m) => m.offset >= state.position.nextOffset);
    let begin = 0;
    while (state.position.nextOffset < batch.nextOffset && batch.isRunning()) {
      const part = fresh.slice(begin, begin + this.options.batchSize);
      begin += part.length;
      const items = part.map((message) => recorder.prepare(message, source));
      const nextOffset = fresh[begin]?.offset ?? batch.nextOffset;
      try {
        const result = await recordRange(this.recordDeps(), recorder, state.position, { items, nextOffset });
        state.position = result.position;
        this.deps.observer.counted(topic, partition, result.counted, batch.highWatermark - nextOffset);
        if (result.counted.rejected > 0n)
          void this.publisher.flush().catch((error) => this.deps.observer.failed(error, 'rejections'));
      } catch (error) {
        if (error instanceof PositionMoved) return this.verify(topic, partition);
        throw error;
      }
      await batch.heartbeat();
    }
  }

  private recordDeps() {
    return { database: this.deps.database, positions: this.positions, rejections: this.rejections };
  }
}

function toLogMessage(message: FetchedBatch['messages'][number]): LogMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    headers[Buffer.from(name).toString('base64')] = Buffer.from(String(value)).toString('base64');
  }
  return { offset: message.offset, key: message.key, value: message.value, headers, arrivedAt: message.timestamp };
}
