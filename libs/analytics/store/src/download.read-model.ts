import type { Aggregation, Frequency } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { ReportShard, ReportStatus } from './report';

/** What a key may download, and what has become of the report it asks for. */
export interface Grant {
  readonly analyticsId: string;
  /** Of the analytics id: a key that is disabled is none. */
  readonly enabled: boolean;
  readonly frequencies: readonly Frequency[];
  readonly aggregations: readonly Aggregation[];
  readonly reportsFrom: string;
  /** By Postgres's clock. */
  readonly now: Date;
  /** Since when this report can have been asked for: when it was planned, else when the analytics id was made. */
  readonly wantedSince: Date;
  /** Undefined when it was never planned. */
  readonly report: { readonly status: ReportStatus; readonly shards: readonly ReportShard[] } | undefined;
}

interface GrantRow extends Record<string, unknown> {
  analytics_id: string;
  enabled: boolean;
  frequencies: Frequency[];
  aggregations: Aggregation[];
  reports_from: string;
  now: Date;
  wanted_since: Date;
  status: ReportStatus | null;
  shards: ReportShard[] | null;
}

/** All that a request for links is answered from, in one statement. */
export class DownloadReadModel {
  /** @returns undefined when the key is gone or disabled */
  async grant(sql: Sql, organizationId: string, keyId: string, prefix: string): Promise<Grant | undefined> {
    const [row] = await sql.query<GrantRow>(
      `SELECT k.analytics_id, a.enabled,
         ARRAY(SELECT unnest(a.frequencies) INTERSECT SELECT unnest(coalesce(k.frequencies, a.frequencies))) AS frequencies,
         ARRAY(SELECT unnest(a.aggregations) INTERSECT SELECT unnest(coalesce(k.aggregations, a.aggregations)))
           AS aggregations,
         to_char(a.reports_from, 'YYYY-MM-DD') AS reports_from, delivery_now() AS now,
         coalesce(r.planned_at, a.created_at) AS wanted_since, r.status, r.shards
       FROM analytics_key k JOIN analytics_id a ON (a.organization_id, a.id) = (k.organization_id, k.analytics_id)
       LEFT JOIN analytics_report r ON (r.organization_id, r.analytics_id, r.prefix) = (a.organization_id, a.id, $3)
       WHERE k.organization_id = $1 AND k.id = $2 AND k.enabled`,
      [organizationId, keyId, prefix],
    );
    return row && toGrant(row);
  }
}

function toGrant(row: GrantRow): Grant {
  return {
    analyticsId: row.analytics_id,
    enabled: row.enabled,
    frequencies: row.frequencies,
    aggregations: row.aggregations,
    reportsFrom: row.reports_from,
    now: row.now,
    wantedSince: row.wanted_since,
    report: row.status === null ? undefined : { status: row.status, shards: row.shards ?? [] },
  };
}
