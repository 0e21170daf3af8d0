import type { PartitionPosition, Position } from '@delivery/exports/domain';
import type { IngestPosition, PositionStore } from '@delivery/ingest/store';
import type { LogReader, Readiness } from '../plan/log-readiness';

/** What the windows of a content are ranges of: whose positions, when they are far enough, and how to speak of them. */
export interface ContentSource {
  /** Whose positions they are. */
  readonly consumer: string;
  /**
   * Asks up to where it has to be for everything that arrived before `time` to be in it: before a transaction, since no
   * lock may wait for Kafka.
   *
   * @param recorded - the positions of the consumer as they were before
   * @returns what to ask of the positions that are read within the transaction
   */
  readinessAt(
    log: LogReader,
    time: Date,
    recorded: readonly IngestPosition[],
  ): Promise<(positions: readonly IngestPosition[]) => Readiness>;
  /** What a database at `at` lacks to have reached `target`, as a sentence's part. */
  lackOf(at: Position, target: PartitionPosition): string;
}

/** What is read of positions: those of a source, in one statement, and whether the database went back (rule 13). */
export type PositionReader = Pick<PositionStore, 'readAll' | 'isHeld'>;
