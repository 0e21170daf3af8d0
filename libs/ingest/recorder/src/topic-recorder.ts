import type { RejectionReason } from '@delivery/ingest/store';
import type { Transaction } from '@delivery/platform/postgres';

/** One message as the log gave it. */
export interface LogMessage {
  offset: bigint;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
  /** The log's append time. */
  appendedAt: Date;
  /** The greatest append time up to here in its partition: it never goes back, whatever the clocks of brokers do. */
  arrivedAt: Date;
}

/** Where a batch of messages stands: all of it in one partition of one epoch of one cluster's log. */
export interface LogSource {
  clusterId: string;
  topic: string;
  topicId: number;
  partition: number;
  epoch: number;
}

/** A message after validation: either what to record, or why not. */
export type Prepared<P> =
  | { message: LogMessage; value: P }
  | { message: LogMessage; organizationId: string | undefined; reasons: readonly RejectionReason[] };

/** What became of the messages given to `record`; the rest of them was recorded. */
export interface RecordOutcome {
  duplicates: number;
  suppressed: number;
  rejected: readonly { message: LogMessage; organizationId: string | undefined; reasons: readonly RejectionReason[] }[];
  /** Called once the transaction is committed: for what may be told only then. */
  committed?(): void;
}

/**
 * How the messages of one topic become rows. The recorder around it owns positions, exactly-once, halving and rejections.
 */
export interface TopicRecorder<P = unknown> {
  readonly topic: string;
  /** Rejected messages are copied here, as they came, with the reasons in their headers. */
  readonly rejectedTopic: string;
  /** Pure: parses and validates one message, outside of any transaction. */
  prepare(message: LogMessage, source: LogSource): Prepared<P>;
  /**
   * Writes prepared messages, in offset order, inside the recorder's transaction. May be called again with the same
   * messages after the transaction was rolled back, and with any contiguous part of them.
   */
  record(
    tx: Transaction,
    batch: readonly { message: LogMessage; value: P }[],
    source: LogSource,
  ): Promise<RecordOutcome>;
}
