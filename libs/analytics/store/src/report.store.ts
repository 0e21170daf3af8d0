import type { Aggregation, Frequency } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import { type Report, reportColumns, type ReportKey, type ReportRow, type ReportShard, toReport } from './report';

/** Who makes a report: its row and the attempt that the claim gave. */
export interface ReportAttempt extends ReportKey {
  readonly attempt: number;
}

/** `lost`: another attempt was claimed. Whoever reads it changes nothing more. */
export type ReportHold = 'held' | 'lost';

export interface ReportFilter {
  readonly organizationId: string;
  /** All of the organization's, if undefined. */
  readonly analyticsId?: string | undefined;
  readonly aggregation?: Aggregation | undefined;
  readonly frequency?: Frequency | undefined;
  readonly limit: number;
  readonly skip: number;
}

const claimable = `((r.status = 'pending' AND (r.retry_at IS NULL OR r.retry_at <= delivery_now()))
  OR (r.status = 'running' AND r.lease_until <= delivery_now()))`;

/** The life of reports from their plan to their removal. Always by the clock of Postgres. */
export class ReportStore {
  /**
   * Claims a report that may be made now, or none: the newest first, so that what is caught up does not make the others
   * late. Two never get the same one, and whoever lost his lease finds his report claimed.
   */
  async claim(sql: Sql, { leaseSeconds }: { leaseSeconds: number }): Promise<Report | undefined> {
    const [row] = await sql.query<ReportRow>(
      `WITH next AS MATERIALIZED (
         SELECT organization_id, analytics_id, prefix FROM analytics_report r WHERE ${claimable}
         ORDER BY last_day DESC, planned_at, organization_id, analytics_id, prefix LIMIT 1 FOR UPDATE SKIP LOCKED)
       UPDATE analytics_report r SET status = 'running', attempt = r.attempt + 1, retry_at = NULL,
         lease_until = delivery_now() + make_interval(secs => $1)
       FROM next n WHERE (r.organization_id, r.analytics_id, r.prefix) = (n.organization_id, n.analytics_id, n.prefix)
       RETURNING ${reportColumns}`,
      [leaseSeconds],
    );
    return row && toReport(row);
  }

  async renewLease(sql: Sql, report: ReportAttempt, leaseSeconds: number): Promise<ReportHold> {
    return this.change(sql, report, `lease_until = delivery_now() + make_interval(secs => $5)`, [leaseSeconds]);
  }

  /** All its files are durable: from here on they may be downloaded. */
  async publish(sql: Sql, report: ReportAttempt, shards: readonly ReportShard[]): Promise<ReportHold> {
    const sum = (value: (shard: ReportShard) => number): number => shards.reduce((all, shard) => all + value(shard), 0);
    return this.change(
      sql,
      report,
      `status = 'published', lease_until = NULL, last_error = NULL, published_at = delivery_now(), shards = $5, rows = $6,
       bytes = $7`,
      [JSON.stringify(shards), sum(({ rows }) => rows), sum(({ bytes }) => bytes)],
    );
  }

  /** It is tried again after the delay. */
  async fail(sql: Sql, report: ReportAttempt, error: string, delaySeconds: number): Promise<ReportHold> {
    return this.change(
      sql,
      report,
      `status = 'pending', lease_until = NULL, last_error = $5, retry_at = delivery_now() + make_interval(secs => $6)`,
      [error, delaySeconds],
    );
  }

  /** Gives it back: whoever made it stops, the report is not to blame. */
  async release(sql: Sql, report: ReportAttempt): Promise<ReportHold> {
    return this.change(sql, report, `status = 'pending', lease_until = NULL`, []);
  }

  async find(sql: Sql, key: ReportKey): Promise<Report | undefined> {
    const [row] = await sql.query<ReportRow>(
      `SELECT ${reportColumns} FROM analytics_report r WHERE organization_id = $1 AND analytics_id = $2 AND prefix = $3`,
      [key.organizationId, key.analyticsId, key.prefix],
    );
    return row && toReport(row);
  }

  /** Reports of an organization, the newest period first. */
  async page(sql: Sql, filter: ReportFilter): Promise<{ data: Report[]; total: number }> {
    const { organizationId, analyticsId = null, aggregation = null, frequency = null, limit, skip } = filter;
    const where = `r.organization_id = $1 AND ($2::text IS NULL OR r.analytics_id = $2)
      AND ($3::text IS NULL OR r.aggregation = $3) AND ($4::text IS NULL OR r.frequency = $4)`;
    const values = [organizationId, analyticsId, aggregation, frequency];
    const [count] = await sql.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM analytics_report r WHERE ${where}`,
      values,
    );
    const rows = await sql.query<ReportRow>(
      `SELECT ${reportColumns} FROM analytics_report r WHERE ${where} ORDER BY r.last_day DESC, r.prefix, r.analytics_id
       LIMIT $5 OFFSET $6`,
      [...values, limit, skip],
    );
    return { data: rows.map(toReport), total: count?.total ?? 0 };
  }

  /**
   * Ends the time of reports that were published so long ago: from here on nobody gets a link any more.
   * @returns how many there were, `limit` at most
   */
  async expire(sql: Sql, { days, limit }: { days: number; limit: number }): Promise<number> {
    const rows = await sql.query(
      `WITH old AS MATERIALIZED (
         SELECT organization_id, analytics_id, prefix FROM analytics_report
         WHERE status = 'published' AND published_at <= delivery_now() - make_interval(days => $1)
         ORDER BY published_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       UPDATE analytics_report r SET status = 'removed' FROM old o
       WHERE (r.organization_id, r.analytics_id, r.prefix) = (o.organization_id, o.analytics_id, o.prefix) RETURNING 1`,
      [days, limit],
    );
    return rows.length;
  }

  /** Reports whose time has ended, and whose files are not all removed yet. */
  async listRemovable(sql: Sql, limit: number): Promise<Report[]> {
    const rows = await sql.query<ReportRow>(
      `SELECT ${reportColumns} FROM analytics_report r WHERE status = 'removed' AND removed_at IS NULL
       ORDER BY published_at LIMIT $1`,
      [limit],
    );
    return rows.map(toReport);
  }

  /** Their files are gone. Repeatable. */
  async markRemoved(sql: Sql, { organizationId, analyticsId, prefix }: ReportKey): Promise<void> {
    await sql.query(
      `UPDATE analytics_report SET removed_at = delivery_now()
       WHERE organization_id = $1 AND analytics_id = $2 AND prefix = $3 AND status = 'removed' AND removed_at IS NULL`,
      [organizationId, analyticsId, prefix],
    );
  }

  private async change(
    sql: Sql,
    { organizationId, analyticsId, prefix, attempt }: ReportAttempt,
    set: string,
    values: readonly unknown[],
  ): Promise<ReportHold> {
    const rows = await sql.query(
      `UPDATE analytics_report SET ${set} WHERE organization_id = $1 AND analytics_id = $2 AND prefix = $3
         AND attempt = $4 AND status = 'running' RETURNING 1`,
      [organizationId, analyticsId, prefix, attempt, ...values],
    );
    return rows.length > 0 ? 'held' : 'lost';
  }
}
