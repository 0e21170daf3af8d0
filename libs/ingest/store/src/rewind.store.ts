import type { Sql } from '@delivery/platform/postgres';
import type { Border, LogPlace, Rewind } from './rewind';

interface PlaceRow extends Record<string, unknown> {
  topic: string;
  partition: number;
  epoch: number;
  next_offset: string;
}

/**
 * That a database went back (a restored backup, a replica that lagged), and what has to be kept while it catches up.
 * Owns `ingest_rewind` and `ingest_border`; every method may be repeated.
 */
export class RewindStore {
  /** Remembers that these partitions were recorded up to here once. Nothing is recorded or delivered until `settle`. */
  async notice(sql: Sql, consumer: string, recordedTo: readonly LogPlace[]): Promise<void> {
    await this.upsert(sql, consumer, recordedTo, false);
  }

  /** All partitions that were ever found to be behind what was recorded. */
  async list(sql: Sql, consumer: string): Promise<Rewind[]> {
    const rows = await sql.query<PlaceRow & { reconciled: boolean }>(
      `SELECT t.name AS topic, r.partition, r.epoch, r.recorded_to AS next_offset,
         coalesce(r.reconciled_to >= r.recorded_to, false) AS reconciled
       FROM ingest_rewind r JOIN ingest_topic t USING (topic_id) WHERE r.consumer = $1 ORDER BY 1, 2, 3`,
      [consumer],
    );
    return rows.map((row) => ({ ...toPlace(row), reconciled: row.reconciled }));
  }

  /**
   * The deliveries up to these places are accounted for: recording and delivering go on, recording in the order of the
   * borders. Only in a transaction.
   */
  async settle(tx: Sql, consumer: string, recordedTo: readonly LogPlace[], borders: readonly Border[]): Promise<void> {
    await this.upsert(tx, consumer, recordedTo, true);
    await tx.query(`UPDATE ingest_rewind SET reconciled_to = recorded_to WHERE consumer = $1`, [consumer]);
    await tx.query(`DELETE FROM ingest_border WHERE consumer = $1`, [consumer]);
    const rows = borders.flatMap((border, number) => border.map((place) => ({ ...place, number })));
    await tx.query(
      `INSERT INTO ingest_border (consumer, border, topic_id, partition, epoch, next_offset)
       SELECT $1, b.border, t.topic_id, b.partition, b.epoch, b.next_offset
       FROM unnest($2::int[], $3::text[], $4::int[], $5::int[], $6::bigint[])
         AS b(border, topic, partition, epoch, next_offset) JOIN ingest_topic t ON t.name = b.topic`,
      [consumer, rows.map(({ number }) => number), ...columnsOf(rows)],
    );
  }

  /** In the order in which they were passed. */
  async borders(sql: Sql, consumer: string): Promise<Border[]> {
    const rows = await sql.query<PlaceRow & { border: number }>(
      `SELECT b.border, t.name AS topic, b.partition, b.epoch, b.next_offset
       FROM ingest_border b JOIN ingest_topic t USING (topic_id) WHERE b.consumer = $1 ORDER BY b.border, 2, 3`,
      [consumer],
    );
    return [...Map.groupBy(rows, ({ border }) => border).values()].map((border) => border.map(toPlace));
  }

  private async upsert(sql: Sql, consumer: string, places: readonly LogPlace[], reconciled: boolean): Promise<void> {
    await sql.query(
      `INSERT INTO ingest_rewind (consumer, topic_id, partition, epoch, recorded_to, reconciled_to)
       SELECT $1, t.topic_id, p.partition, p.epoch, p.next_offset, CASE WHEN $6 THEN p.next_offset END
       FROM unnest($2::text[], $3::int[], $4::int[], $5::bigint[]) AS p(topic, partition, epoch, next_offset)
         JOIN ingest_topic t ON t.name = p.topic
       ON CONFLICT (consumer, topic_id, partition, epoch)
         DO UPDATE SET recorded_to = greatest(ingest_rewind.recorded_to, excluded.recorded_to)`,
      [consumer, ...columnsOf(places), reconciled],
    );
  }
}

function columnsOf(places: readonly LogPlace[]) {
  return [
    places.map(({ topic }) => topic),
    places.map(({ partition }) => partition),
    places.map(({ epoch }) => epoch),
    places.map(({ nextOffset }) => nextOffset.toString()),
  ];
}

function toPlace({ topic, partition, epoch, next_offset }: PlaceRow): LogPlace {
  return { topic, partition, epoch, nextOffset: BigInt(next_offset) };
}
