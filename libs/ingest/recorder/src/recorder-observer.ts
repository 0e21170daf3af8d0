import type { Counters } from '@delivery/ingest/store';

/** What can fail and be repeated: fetching and recording, taking a partition, looking again, copying rejections. */
export const failurePlaces = ['consumer', 'assignment', 'recheck', 'rejections'] as const;
export type FailurePlace = (typeof failurePlaces)[number];

/** Told of what becomes of partitions; messages and errors are its to count and to log. */
export interface RecorderObserver {
  /** A partition is recorded for the first time; what the log held before `offset` has left it. */
  began(topic: string, partition: number, offset: bigint): void;
  /** The partitions that this recorder has now: what it told of others is another's to tell. */
  owns(partitions: readonly { topic: string; partition: number }[]): void;
  /** A transaction was committed: where its messages ended. */
  counted(topic: string, partition: number, counted: Counters): void;
  /** A range of messages was recorded, in this many seconds. */
  recorded(topic: string, seconds: number): void;
  /**
   * Messages between the position and the end of the log, also while nothing is recorded.
   * @param arrivedAt - append time of the last message before the position
   */
  behind(topic: string, partition: number, messages: bigint, arrivedAt: Date | undefined): void;
  stopped(topic: string, partition: number, reason: string): void;
  resumed(topic: string, partition: number): void;
  failed(error: unknown, where: FailurePlace): void;
}
