import type { IngestPosition } from '@delivery/ingest/store';
import { KafkaError } from '@delivery/platform/kafka';

/** The part of a Kafka connection that planning needs. */
export interface LogReader {
  /** Per partition, the first offset whose append time is at or after `time`; the end of the log when there is none. */
  offsetsAt(topic: string, time: Date): Promise<{ partition: number; offset: bigint }[]>;
}

/** Up to where a log has to be recorded for everything that arrived before a time to be recorded. */
export interface LogTarget {
  readonly offsets: readonly { topic: string; partition: number; offset: bigint }[];
  /** Why it is not known, as a sentence's part. */
  readonly fault?: string;
}

export async function logTargetAt(log: LogReader, topics: readonly string[], time: Date): Promise<LogTarget> {
  try {
    const found = await Promise.all(
      topics.map(async (topic) => (await log.offsetsAt(topic, time)).map((each) => ({ topic, ...each }))),
    );
    return { offsets: found.flat() };
  } catch (error) {
    if (error instanceof KafkaError) return { offsets: [], fault: `the log cannot be read (${error.message})` };
    throw error;
  }
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
  const lags = target.offsets.flatMap(({ topic, partition, offset }) => {
    const position = positions.find((each) => each.topic === topic && each.partition === partition);
    const words = lagOf(position, offset);
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

function lagOf(position: IngestPosition | undefined, offset: bigint): string | undefined {
  // A log that was replaced may have fewer messages than were recorded from the old one.
  if (position?.status === 'stopped') return `is stopped: ${position.stoppedReason ?? 'no reason was given'}`;
  const behind = offset - (position?.nextOffset ?? 0n);
  return behind > 0n ? `is ${behind.toLocaleString('en-US')} messages behind` : undefined;
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
