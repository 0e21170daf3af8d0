import type { Sql } from '@delivery/platform/postgres';

/** Why a message was not recorded; `field` is a dotted path, empty for the message as a whole. */
export interface RejectionReason {
  field: string;
  code: string;
  message: string;
}

/** A message that was not recorded, kept as it came. */
export interface Rejection {
  topicId: number;
  epoch: number;
  partition: number;
  offset: bigint;
  organizationId: string | undefined;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
  reasons: readonly RejectionReason[];
  arrivedAt: Date;
}

/** Rejections that were not copied to their topic yet. */
export interface RejectionBacklog {
  /** Counted up to a hundred thousand. */
  messages: number;
  /** Since the oldest of them arrived; 0 without any. */
  oldestSeconds: number;
}

interface RejectionRow extends Record<string, unknown> {
  topic_id: number;
  epoch: number;
  partition: number;
  log_offset: string;
  organization_id: string | null;
  message_key: Buffer | null;
  message_value: Buffer | null;
  message_headers: Record<string, string>;
  reasons: RejectionReason[];
  arrived_at: Date;
}

/** A hundred messages of the largest size would take half a gigabyte on their way through a process. */
const bytesAtOnce = 4_000_000;

/** Owns `ingest_rejection`. */
export class RejectionStore {
  /** Writes rejections in the recording transaction. */
  async insert(sql: Sql, rejections: readonly Rejection[]): Promise<void> {
    for (const r of rejections) {
      await sql.query(
        `INSERT INTO ingest_rejection (topic_id, epoch, partition, log_offset, organization_id, message_key,
           message_value, message_headers, reasons, arrived_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [
          r.topicId,
          r.epoch,
          r.partition,
          r.offset.toString(),
          r.organizationId ?? null,
          r.key,
          r.value,
          JSON.stringify(r.headers),
          JSON.stringify(r.reasons),
          r.arrivedAt,
        ],
      );
    }
  }

  /**
   * Locks up to `limit` rejections of a topic that have not reached its rejected topic yet, and returns as many of them
   * as fit into memory beside others' work, at least one; another publisher skips them.
   */
  async lockUnpublished(sql: Sql, topic: string, limit: number): Promise<Rejection[]> {
    const rows = await sql.query<RejectionRow>(
      `WITH locked AS MATERIALIZED (
         SELECT topic_id, epoch, partition, log_offset, arrived_at,
           coalesce(octet_length(message_key), 0) + coalesce(octet_length(message_value), 0) AS size
         FROM ingest_rejection
         WHERE published_at IS NULL AND topic_id = (SELECT topic_id FROM ingest_topic WHERE name = $1)
         ORDER BY arrived_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ), measured AS (
         SELECT *, sum(size) OVER (ORDER BY arrived_at, epoch, partition, log_offset) AS total FROM locked
       )
       SELECT topic_id, epoch, partition, log_offset, r.organization_id, r.message_key, r.message_value,
         r.message_headers, r.reasons, r.arrived_at
       FROM measured m JOIN ingest_rejection r USING (topic_id, epoch, partition, log_offset)
       WHERE m.total <= $3 OR m.total = m.size ORDER BY m.total`,
      [topic, limit, bytesAtOnce],
    );
    return rows.map((row) => ({
      topicId: row.topic_id,
      epoch: row.epoch,
      partition: row.partition,
      offset: BigInt(row.log_offset),
      organizationId: row.organization_id ?? undefined,
      key: row.message_key,
      value: row.message_value,
      headers: row.message_headers,
      reasons: row.reasons,
      arrivedAt: row.arrived_at,
    }));
  }

  async backlog(sql: Sql): Promise<RejectionBacklog> {
    const [row] = await sql.query<{ messages: number; seconds: number }>(
      `SELECT count(*)::int AS messages,
         greatest(0, coalesce(extract(epoch FROM now() - min(arrived_at)), 0))::float8 AS seconds
       FROM (SELECT arrived_at FROM ingest_rejection WHERE published_at IS NULL ORDER BY arrived_at LIMIT 100000) AS late`,
    );
    return { messages: row?.messages ?? 0, oldestSeconds: row?.seconds ?? 0 };
  }

  /**
   * Whether a message was rejected.
   * @param at - its place in the log of the present epoch
   * @param eventId - a string that its JSON holds: in a log made anew, which nobody has confirmed yet, another message
   * stood at this place
   */
  async has(sql: Sql, topic: string, at: { partition: number; offset: bigint }, eventId: string): Promise<boolean> {
    const rows = await sql.query(
      `SELECT 1 FROM ingest_rejection WHERE (topic_id, partition, log_offset) = ((SELECT topic_id FROM ingest_topic WHERE name = $1), $2, $3)
         AND epoch = (SELECT max(epoch) FROM ingest_position p WHERE p.topic_id = ingest_rejection.topic_id AND p.partition = $2)
         AND position(convert_to($4, 'UTF8') IN message_value) > 0`,
      [topic, at.partition, at.offset.toString(), JSON.stringify(eventId)],
    );
    return rows.length > 0;
  }

  async markPublished(sql: Sql, rejections: readonly Rejection[]): Promise<void> {
    await sql.query(
      `UPDATE ingest_rejection r SET published_at = now()
       FROM unnest($1::smallint[], $2::int[], $3::int[], $4::bigint[]) AS k(topic_id, epoch, partition, log_offset)
       WHERE (r.topic_id, r.epoch, r.partition, r.log_offset) = (k.topic_id, k.epoch, k.partition, k.log_offset)`,
      [
        rejections.map((r) => r.topicId),
        rejections.map((r) => r.epoch),
        rejections.map((r) => r.partition),
        rejections.map((r) => r.offset.toString()),
      ],
    );
  }
}
