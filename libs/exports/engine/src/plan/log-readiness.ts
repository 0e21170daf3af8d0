import type { IngestPosition } from '@delivery/ingest/store';
import { KafkaError, type OffsetAtTime } from '@delivery/platform/kafka';

/** The part of a Kafka connection that planning needs. */
export interface LogReader {
  clusterId(): Promise<string>;
  /** Per partition, the first offset whose append time is at or after `time`; the end of the log when there is none. */
  offsetsAt(topic: string, time: Date): Promise<Omit<OffsetAtTime, 'low'>[]>;
}

/** Up to where a log has to be recorded for everything that arrived before a time to be recorded. */
export interface LogTarget {
  readonly offsets: readonly TargetOffset[];
  /** Why it is not known, as a sentence's part. */
  readonly fault?: string;
}

interface TargetOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Up to where messages could be read, when the log was asked. */
  readonly stable: bigint;
  /** How one can tell that what was recorded is not of this log, as a sentence's part. */
  readonly otherLog: string | undefined;
}

/**
 * @param recorded - the positions in these topics, read before: a log that is shorter afterwards is another one, which the
 * recorder, being away, has not noticed yet
 */
export async function logTargetAt(
  log: LogReader,
  topics: readonly string[],
  time: Date,
  recorded: readonly IngestPosition[],
): Promise<LogTarget> {
  try {
    const clusterId = await log.clusterId();
    const found = topics.map(async (topic) =>
      (await log.offsetsAt(topic, time)).map(({ partition, offset, stable, high }): TargetOffset => {
        const position = recorded.find((each) => each.topic === topic && each.partition === partition);
        return { topic, partition, offset, stable, otherLog: position && otherLogOf(position, clusterId, high) };
      }),
    );
    return { offsets: (await Promise.all(found)).flat() };
  } catch (error) {
    if (error instanceof KafkaError) return { offsets: [], fault: `the log cannot be read (${error.message})` };
    throw error;
  }
}

function otherLogOf(position: IngestPosition, clusterId: string, high: bigint): string | undefined {
  if (position.clusterId !== clusterId)
    return `was recorded from cluster ${position.clusterId}, and this is ${clusterId}`;
  if (position.nextOffset <= high) return undefined;
  return `was recorded up to offset ${position.nextOffset}, and ends at ${high} now: the topic was made anew`;
}

export interface Readiness {
  /** What is waited for, or nothing. */
  readonly waitingFor: string | undefined;
  /** All events that arrived before this time are recorded; `undefined` when that cannot be said. */
  readonly completeUntil: Date | undefined;
}

/** @param time - the time that `target` was asked for */
export function readinessOf(target: LogTarget, positions: readonly IngestPosition[], time: Date): Readiness {
  if (target.fault !== undefined) {
    return { waitingFor: target.fault, completeUntil: earliest(positions.map(({ arrivedAt }) => arrivedAt)) };
  }
  const lags = target.offsets.flatMap((each) => {
    const { topic, partition } = each;
    const position = positions.find((other) => other.topic === topic && other.partition === partition);
    const words = lagOf(position, each);
    return words === undefined ? [] : [{ words: `partition ${partition} of ${topic} ${words}`, position }];
  });
  if (lags.length === 0) return { waitingFor: undefined, completeUntil: time };
  const [first = '', second, ...more] = lags.map(({ words }) => words);
  const told = [first, ...(second === undefined ? [] : [second]), ...(more.length > 0 ? [`${more.length} more`] : [])];
  return {
    waitingFor: told.join(', '),
    completeUntil: earliest([...lags.map(({ position }) => position?.arrivedAt), time]),
  };
}

function lagOf(position: IngestPosition | undefined, { offset, stable, otherLog }: TargetOffset): string | undefined {
  // A log that was replaced may have fewer messages than were recorded from the old one.
  if (position?.status === 'stopped') return `is stopped: ${position.stoppedReason ?? 'no reason was given'}`;
  if (otherLog !== undefined) return otherLog;
  const next = position?.nextOffset ?? 0n;
  const behind = offset - next;
  if (behind <= 0n) return undefined;
  const words = `is ${behind.toLocaleString('en-US')} messages behind`;
  return next < stable ? words : `${words}, which wait for a producer to end its transaction`;
}

/** Append times never go back within a partition, so everything before a recorded one is recorded. */
function earliest(times: readonly (Date | undefined)[]): Date | undefined {
  let found: Date | undefined;
  for (const time of times) {
    if (time === undefined) return undefined;
    if (found === undefined || time < found) found = time;
  }
  return found;
}
