/** How many offsets ended in which way (architecture: every message ends in exactly one counter). */
export interface Counters {
  recorded: bigint;
  duplicates: bigint;
  rejected: bigint;
  suppressed: bigint;
  /** Offsets that carry no message for us: transaction markers, aborted records, gaps the log itself left. */
  control: bigint;
}

/** Where a recorder is in one partition. `nextOffset` is the first offset that is not recorded yet. */
export interface IngestPosition extends Counters {
  consumer: string;
  topic: string;
  topicId: number;
  partition: number;
  epoch: number;
  clusterId: string;
  firstOffset: bigint;
  nextOffset: bigint;
  fingerprint: Buffer | undefined;
  fingerprintOffset: bigint | undefined;
  /** Append time of the last recorded message; the log's clock, never the host's. */
  arrivedAt: Date | undefined;
  status: 'running' | 'stopped';
  stoppedReason: string | undefined;
  /** This database is older than what was recorded once, in whichever partition: nothing may be recorded or delivered. */
  held: boolean;
}

export interface PositionRow extends Record<string, unknown> {
  consumer: string;
  topic: string;
  topic_id: number;
  partition: number;
  epoch: number;
  cluster_id: string;
  first_offset: string;
  next_offset: string;
  fingerprint: Buffer | null;
  fingerprint_offset: string | null;
  arrived_at: Date | null;
  recorded: string;
  duplicates: string;
  rejected: string;
  suppressed: string;
  control: string;
  status: 'running' | 'stopped';
  stopped_reason: string | null;
  held: boolean;
}

export function toPosition(row: PositionRow): IngestPosition {
  return {
    consumer: row.consumer,
    topic: row.topic,
    topicId: row.topic_id,
    partition: row.partition,
    epoch: row.epoch,
    clusterId: row.cluster_id,
    firstOffset: BigInt(row.first_offset),
    nextOffset: BigInt(row.next_offset),
    fingerprint: row.fingerprint ?? undefined,
    fingerprintOffset: row.fingerprint_offset === null ? undefined : BigInt(row.fingerprint_offset),
    arrivedAt: row.arrived_at ?? undefined,
    recorded: BigInt(row.recorded),
    duplicates: BigInt(row.duplicates),
    rejected: BigInt(row.rejected),
    suppressed: BigInt(row.suppressed),
    control: BigInt(row.control),
    status: row.status,
    stoppedReason: row.stopped_reason ?? undefined,
    held: row.held,
  };
}
