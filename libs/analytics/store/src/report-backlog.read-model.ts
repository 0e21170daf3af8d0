import type { Sql } from '@delivery/platform/postgres';

/** Reports that are planned and not published, over all organizations. All times are in seconds, by Postgres' clock. */
export interface ReportBacklog {
  /** Never tried, or given back. */
  readonly pending: number;
  readonly running: number;
  /** Failed at least once. */
  readonly failing: number;
  /** Since the first of them was to be published; 0 when none is late. */
  readonly lateSeconds: number;
}

/** One of the reports that are late, for a sentence. */
export interface LateReport {
  readonly prefix: string;
  readonly analyticsId: string;
  readonly organizationId: string;
  readonly lateSeconds: number;
  readonly lastError: string | undefined;
  /** How many are late in all. */
  readonly late: number;
}

/** Promised for 08:00 UTC of the day after the period (contracts.md U-9); one that was planned later has half an hour. */
const promised = `greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC' + interval '8 hours', planned_at + interval '30 minutes')`;
const open = `status IN ('pending', 'running')`;

export class ReportBacklogReadModel {
  async read(sql: Sql): Promise<ReportBacklog> {
    const [row] = await sql.query<ReportBacklog & Record<string, unknown>>(
      `SELECT (count(*) FILTER (WHERE status = 'pending' AND last_error IS NULL))::int AS pending,
         (count(*) FILTER (WHERE status = 'running'))::int AS running,
         (count(*) FILTER (WHERE status = 'pending' AND last_error IS NOT NULL))::int AS failing,
         greatest(0, coalesce(extract(epoch FROM delivery_now() - min(${promised})), 0))::float8 AS "lateSeconds"
       FROM analytics_report WHERE ${open}`,
    );
    return row ?? { pending: 0, running: 0, failing: 0, lateSeconds: 0 };
  }

  /** The report that is late for longest. */
  async latest(sql: Sql): Promise<LateReport | undefined> {
    const [row] = await sql.query<LateRow>(
      `SELECT organization_id, analytics_id, prefix, last_error, (count(*) OVER ())::int AS late,
         extract(epoch FROM delivery_now() - ${promised})::float8 AS seconds
       FROM analytics_report WHERE ${open} AND ${promised} < delivery_now() ORDER BY ${promised}, prefix LIMIT 1`,
    );
    return (
      row && {
        organizationId: row.organization_id,
        analyticsId: row.analytics_id,
        prefix: row.prefix,
        lateSeconds: row.seconds,
        lastError: row.last_error ?? undefined,
        late: row.late,
      }
    );
  }
}

interface LateRow extends Record<string, unknown> {
  organization_id: string;
  analytics_id: string;
  prefix: string;
  last_error: string | null;
  late: number;
  seconds: number;
}
