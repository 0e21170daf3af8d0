import type { Sql } from '@delivery/platform/postgres';

/** Arrivals never go back within a partition, and sealed hours have passed in all of them; the rest is for brokers' clocks. */
const KEPT_HOURS = 48;

/** What a sweep may remove, and how far it has to go. */
export interface ClaimSweep {
  /** Claims from before are met by no message any more; undefined: nothing was recorded yet. */
  readonly before: Date | undefined;
  /** Pages of the table. */
  readonly pages: number;
}

/**
 * Plans a sweep. By the log's time and never the clock's alone: the messages that may still come are those of open hours,
 * however late they are recorded.
 * @param consumer - name of the interactions' recorder
 */
export async function planClaimSweep(sql: Sql, consumer: string): Promise<ClaimSweep> {
  const [row] = await sql.query<{ before: Date | null; pages: number }>(
    `SELECT CASE WHEN count(*) > 0 THEN
         least('epoch'::timestamptz + (SELECT hour FROM analytics_open_hour) * interval '1 hour', max(arrived_at))
           - make_interval(hours => $2) END AS before,
       (pg_relation_size('interaction_claim') / current_setting('block_size')::int)::int AS pages
     FROM ingest_position WHERE consumer = $1 AND arrived_at IS NOT NULL`,
    [consumer, KEPT_HOURS],
  );
  return { before: row?.before ?? undefined, pages: row?.pages ?? 0 };
}

/** Removes the old claims of so many pages. Repeatable. @returns how many there were */
export async function sweepClaims(sql: Sql, before: Date, fromPage: number, pages: number): Promise<number> {
  const [row] = await sql.query<{ removed: number }>(
    `WITH gone AS (
       DELETE FROM interaction_claim WHERE ctid >= $1::text::tid AND ctid < $2::text::tid AND arrived_at < $3 RETURNING 1)
     SELECT count(*)::int AS removed FROM gone`,
    [`(${fromPage},0)`, `(${fromPage + pages},0)`, before],
  );
  return row?.removed ?? 0;
}
