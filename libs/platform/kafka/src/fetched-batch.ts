import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { isHidden } from './kafkajs-repairs';

export interface FetchedMessage {
  offset: bigint;
  key: Buffer | null;
  value: Buffer | null;
  headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /** When the broker appended it, for topics whose `message.timestamp.type` is `LogAppendTime`. */
  timestamp: Date;
}

/** One fetch of one partition. */
export interface FetchedBatch {
  topic: string;
  partition: number;
  /** The offset that was asked for. Another than the last batch's `nextOffset` or the one sought: the log has moved. */
  fetchedOffset: bigint;
  /** First record in the batch, control and aborted records included. Beyond `fetchedOffset` when offsets are missing. */
  firstOffset: bigint;
  /** First offset after this batch, control and aborted records included. */
  nextOffset: bigint;
  /** End of the partition's log when the batch was fetched. */
  highWatermark: bigint;
  /** Committed data only; empty when the batch held nothing but control or aborted records. */
  messages: FetchedMessage[];
  /**
   * False once the partition was revoked, sought or paused, or the consumer stops: finish the unit of work and return.
   * The batch then counts as not handled and is fetched again, here or elsewhere.
   */
  isRunning(): boolean;
  /** Tells the group that this member lives. It is done every few seconds anyway; throws when the group goes on without it. */
  heartbeat(): Promise<void>;
}

/** Where a batch of kafkajs begins and ends. `fetchedOffset` is there, but not in its types. */
export function extentOf(batch: EachBatchPayload['batch']): {
  fetchedOffset: bigint;
  firstOffset: bigint;
  nextOffset: bigint;
} {
  const asked: unknown = Reflect.get(batch, 'fetchedOffset');
  const first = batch.firstOffset();
  const fetchedOffset = BigInt(String(asked));
  return {
    fetchedOffset,
    firstOffset: first === null ? fetchedOffset : BigInt(first),
    nextOffset: BigInt(batch.lastOffset()) + 1n,
  };
}

/** What is for the handler, of all that kafkajs fetched. */
export function messagesOf(batch: EachBatchPayload['batch']): FetchedMessage[] {
  return batch.messages.filter((message) => !isHidden(message)).map(toMessage);
}

function toMessage({ offset, key, value, headers, timestamp }: KafkaMessage): FetchedMessage {
  return { offset: BigInt(offset), key, value, headers: headers ?? {}, timestamp: new Date(Number(timestamp)) };
}
