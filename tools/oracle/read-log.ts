import { Kafka, KafkaJSConnectionError, KafkaJSProtocolError, logLevel, type IHeaders } from 'kafkajs';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoggedMessage } from './ledger';

export interface LogRange {
  brokers: readonly string[];
  /** As the broker knows it, prefix included. */
  topic: string;
  /** First offset to read, per partition; from the beginning where absent. */
  from?: ReadonlyMap<number, bigint>;
}

/** Ends of a topic's partitions now. */
export function logEnds(brokers: readonly string[], topic: string): Promise<Map<number, bigint>> {
  return patiently(() => askEnds(brokers, topic));
}

/** What a broker says that has just come back, and will not say for long. */
const notYetKnown = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
];

/** A broker that has just come back takes no connection for a while, and then denies that it has any topic or group. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const { cause = error } = error instanceof Error ? error : {};
      const notYet = cause instanceof KafkaJSProtocolError && notYetKnown.includes(cause.type);
      if ((!notYet && !(cause instanceof KafkaJSConnectionError)) || tries === 20) throw error;
      await delay(500);
    }
  }
}

async function askEnds(brokers: readonly string[], topic: string): Promise<Map<number, bigint>> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  } finally {
    await admin.disconnect();
  }
}

/** Longer than a group takes to be formed anew, on a machine that has much else to do. */
const silenceMs = 120_000;

/** Every committed message of a topic up to its present end, read with a consumer of the oracle's own. */
export function readLog(range: LogRange): Promise<LoggedMessage[]> {
  return patiently(() => readOnce(range));
}

async function readOnce({ brokers, topic, from = new Map() }: LogRange): Promise<LoggedMessage[]> {
  const ends = await askEnds(brokers, topic);
  const open = new Set(
    [...ends].filter(([partition, end]) => end > (from.get(partition) ?? 0n)).map(([partition]) => partition),
  );
  const reading = new Reading(from);
  if (open.size === 0) return reading.messages;
  const groupId = `oracle-${randomBytes(6).toString('hex')}`;
  const consumer = client(brokers).consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => undefined); // it may fail before anybody waits for it
  const silence = setTimeout(() => {
    const left = [...open].map((partition) => `${partition} from ${reading.next(partition)} to ${ends.get(partition)}`);
    done.reject(new Error(`waited in vain for ${topic} to be read: nothing came of partitions ${left.join(', ')}`));
  }, silenceMs);
  const passed = (partition: number, end: bigint) => {
    silence.refresh();
    if (end >= (ends.get(partition) ?? 0n)) open.delete(partition);
    if (open.size === 0) done.resolve();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  // A log may end in control records, which only this event tells of.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
    passed(payload.partition, BigInt(payload.lastOffset) + 1n),
  );
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { offset, timestamp, value, headers } of batch.messages) {
          const place = { partition: batch.partition, offset: BigInt(offset), arrivedAt: Number(timestamp) };
          reading.take({ ...place, value, headers: plain(headers) });
        }
      },
    });
    for (const [partition, offset] of from) consumer.seek({ topic, partition, offset: offset.toString() });
    await done.promise;
  } finally {
    clearTimeout(silence);
    await consumer.disconnect();
    await forgetGroup(brokers, groupId);
  }
  return reading.messages;
}

/** What was read so far. A consumer that joins its group again begins where it began: what comes again is left out. */
export class Reading {
  readonly messages: LoggedMessage[] = [];
  private readonly nexts: Map<number, bigint>;

  constructor(from: ReadonlyMap<number, bigint>) {
    this.nexts = new Map(from);
  }

  next(partition: number): bigint {
    return this.nexts.get(partition) ?? 0n;
  }

  take(message: LoggedMessage): void {
    if (message.offset < this.next(message.partition)) return;
    this.nexts.set(message.partition, message.offset + 1n);
    this.messages.push(message);
  }
}

/** Thousands of groups of past readings would only confuse whoever looks at the broker. */
async function forgetGroup(brokers: readonly string[], groupId: string): Promise<void> {
  const admin = client(brokers).admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // it is forgotten by itself, later
  } finally {
    await admin.disconnect();
  }
}

function plain(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

function client(brokers: readonly string[]): Kafka {
  return new Kafka({ clientId: 'oracle', brokers: [...brokers], logLevel: logLevel.NOTHING });
}
