import type { Sql } from '@delivery/platform/postgres';
import { IngestError } from './errors';
import { toPosition, type Counters, type IngestPosition, type PositionRow } from './position';

const columns = `p.consumer, t.name AS topic, p.topic_id, p.partition, p.epoch, p.cluster_id, p.first_offset, p.next_offset,
  p.fingerprint, p.fingerprint_offset, p.arrived_at, p.recorded, p.duplicates, p.rejected, p.suppressed, p.control,
  p.status, p.stopped_reason, EXISTS (SELECT FROM ingest_rewind r WHERE r.consumer = p.consumer
    AND (r.reconciled_to IS NULL OR r.reconciled_to < r.recorded_to)) AS held`;

const current = `p.epoch = (SELECT max(e.epoch) FROM ingest_position e
  WHERE e.consumer = p.consumer AND e.topic_id = p.topic_id AND e.partition = p.partition)`;

/** One step forward in one partition: what the position becomes and in which counter each passed offset ended. */
export interface Advance {
  position: IngestPosition;
  nextOffset: bigint;
  counted: Counters;
  /** The last message of the step; absent when the step passed only control records. */
  last?: { offset: bigint; fingerprint: Buffer; arrivedAt: Date };
}

/** Positions of all recorders. Owns `ingest_position` and `ingest_topic`; every method may be repeated unless it says otherwise. */
export class PositionStore {
  /** @returns the numeric code of a topic's name. @throws IngestError `unknown_topic`. */
  async topicId(sql: Sql, topic: string): Promise<number> {
    const [row] = await sql.query<{ topic_id: number }>('SELECT topic_id FROM ingest_topic WHERE name = $1', [topic]);
    if (row === undefined) throw new IngestError('unknown_topic', `Topic "${topic}" is not one this version records.`);
    return row.topic_id;
  }

  /** Current positions of all partitions a consumer has ever recorded, read in one statement: a consistent vector. */
  async readAll(sql: Sql, consumer: string): Promise<IngestPosition[]> {
    const rows = await sql.query<PositionRow>(
      `SELECT ${columns} FROM ingest_position p JOIN ingest_topic t USING (topic_id)
       WHERE p.consumer = $1 AND ${current} ORDER BY p.topic_id, p.partition`,
      [consumer],
    );
    return rows.map(toPosition);
  }

  /** Whether this database is older than what was recorded once, by whichever consumer: nothing may be delivered then. */
  async isHeld(sql: Sql): Promise<boolean> {
    const rows = await sql.query(
      'SELECT 1 FROM ingest_rewind WHERE reconciled_to IS NULL OR reconciled_to < recorded_to LIMIT 1',
    );
    return rows.length > 0;
  }

  async find(sql: Sql, consumer: string, topic: string, partition: number): Promise<IngestPosition | undefined> {
    return this.one(sql, consumer, topic, partition, '');
  }

  /** Locks the current position until the transaction ends: the first thing every recording transaction does. */
  async lock(sql: Sql, consumer: string, topic: string, partition: number): Promise<IngestPosition | undefined> {
    return this.one(sql, consumer, topic, partition, 'FOR UPDATE OF p');
  }

  /** The same, but nothing when another transaction has it: whoever has it does what was to be done. */
  async tryLock(sql: Sql, consumer: string, topic: string, partition: number): Promise<IngestPosition | undefined> {
    return this.one(sql, consumer, topic, partition, 'FOR UPDATE OF p SKIP LOCKED');
  }

  private async one(sql: Sql, consumer: string, topic: string, partition: number, lock: string) {
    const [row] = await sql.query<PositionRow>(
      `SELECT ${columns} FROM ingest_position p JOIN ingest_topic t USING (topic_id)
       WHERE p.consumer = $1 AND t.name = $2 AND p.partition = $3 AND ${current} ${lock}`,
      [consumer, topic, partition],
    );
    return row === undefined ? undefined : toPosition(row);
  }

  /** Begins a partition that was never recorded, at the log's first offset. A concurrent begin wins silently. */
  async begin(
    sql: Sql,
    start: { consumer: string; topic: string; partition: number; clusterId: string; firstOffset: bigint },
  ): Promise<void> {
    const topicId = await this.topicId(sql, start.topic);
    await sql.query(
      `INSERT INTO ingest_position (consumer, topic_id, partition, epoch, cluster_id, first_offset, next_offset)
       VALUES ($1, $2, $3, 1, $4, $5, $5) ON CONFLICT DO NOTHING`,
      [start.consumer, topicId, start.partition, start.clusterId, start.firstOffset.toString()],
    );
  }

  /** Moves a locked position. The table's check constraint refuses a step whose counters do not add up. */
  async advance(sql: Sql, step: Advance): Promise<void> {
    const { position, counted, last } = step;
    await sql.query(
      `UPDATE ingest_position SET next_offset = $5,
         recorded = recorded + $6, duplicates = duplicates + $7, rejected = rejected + $8,
         suppressed = suppressed + $9, control = control + $10,
         fingerprint = coalesce($11, fingerprint), fingerprint_offset = coalesce($12, fingerprint_offset),
         arrived_at = greatest(arrived_at, $13), updated_at = now()
       WHERE consumer = $1 AND topic_id = $2 AND partition = $3 AND epoch = $4`,
      [
        position.consumer,
        position.topicId,
        position.partition,
        position.epoch,
        step.nextOffset.toString(),
        counted.recorded.toString(),
        counted.duplicates.toString(),
        counted.rejected.toString(),
        counted.suppressed.toString(),
        counted.control.toString(),
        last?.fingerprint ?? null,
        last?.offset.toString() ?? null,
        last?.arrivedAt ?? null,
      ],
    );
  }

  /** Marks a partition as stopped, with the sentence an operator needs. */
  async stop(sql: Sql, position: IngestPosition, reason: string): Promise<void> {
    await this.setStatus(sql, position, 'stopped', reason);
  }

  async resume(sql: Sql, position: IngestPosition): Promise<void> {
    await this.setStatus(sql, position, 'running', null);
  }

  private async setStatus(sql: Sql, position: IngestPosition, status: string, reason: string | null): Promise<void> {
    await sql.query(
      `UPDATE ingest_position SET status = $5, stopped_reason = $6, updated_at = now()
       WHERE consumer = $1 AND topic_id = $2 AND partition = $3 AND epoch = $4`,
      [position.consumer, position.topicId, position.partition, position.epoch, status, reason],
    );
  }

  /**
   * Begins a new epoch of a partition whose log was lost or replaced: recording goes on at `firstOffset` of the new log,
   * and windows order all of the new epoch after all of the old one. Not repeatable: each call adds an epoch.
   * @throws IngestError `unknown_partition` when the partition was never recorded.
   */
  async beginEpoch(
    sql: Sql,
    start: { consumer: string; topic: string; partition: number; clusterId: string; firstOffset: bigint },
  ): Promise<number> {
    const position = await this.lock(sql, start.consumer, start.topic, start.partition);
    if (position === undefined) {
      throw new IngestError(
        'unknown_partition',
        `Partition ${start.partition} of ${start.topic} was never recorded; it needs no new epoch.`,
      );
    }
    await sql.query(
      `INSERT INTO ingest_position (consumer, topic_id, partition, epoch, cluster_id, first_offset, next_offset)
       VALUES ($1, $2, $3, $4, $5, $6, $6)`,
      [
        start.consumer,
        position.topicId,
        start.partition,
        position.epoch + 1,
        start.clusterId,
        start.firstOffset.toString(),
      ],
    );
    return position.epoch + 1;
  }
}
