import type { Aggregation, Frequency, ReportName } from '@delivery/analytics/domain';

export const REPORT_STATUSES = ['pending', 'running', 'published', 'removed'] as const;
/** `pending`: not made, or to be made again at `retryAt`. `removed`: its files are, the row tells that there were some. */
export type ReportStatus = (typeof REPORT_STATUSES)[number];

export interface ReportKey {
  readonly organizationId: string;
  readonly analyticsId: string;
  /** The report's name: `interaction-2022-04-01`. */
  readonly prefix: string;
}

/** One file of a report. Its number is its place in the list. */
export interface ReportShard {
  readonly bytes: number;
  /** Without the header. */
  readonly rows: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What a report was made of: frozen when it was planned, so that it is the same however often it is made. */
export interface ReportPlan extends ReportKey, ReportName {
  readonly settingsIds: readonly string[];
  readonly rowsPerShard: number;
  readonly escapeFormulas: boolean;
}

/** The row of `analytics_report`. */
export interface Report extends ReportPlan {
  readonly status: ReportStatus;
  /** Raised by every claim: whoever holds a lower one may change nothing any more. */
  readonly attempt: number;
  readonly retryAt: Date | undefined;
  /** Why the last attempt failed; undefined once it is published. */
  readonly lastError: string | undefined;
  /** Empty until it is published. */
  readonly shards: readonly ReportShard[];
  readonly rows: number;
  readonly bytes: number;
  readonly plannedAt: Date;
  readonly publishedAt: Date | undefined;
  readonly removedAt: Date | undefined;
}

export interface ReportRow extends Record<string, unknown> {
  organization_id: string;
  analytics_id: string;
  prefix: string;
  aggregation: Aggregation;
  frequency: Frequency;
  first_day: string;
  last_day: string;
  settings_ids: string[];
  rows_per_shard: number;
  escape_formulas: boolean;
  status: ReportStatus;
  attempt: number;
  retry_at: Date | null;
  last_error: string | null;
  shards: ReportShard[];
  rows: string;
  bytes: string;
  planned_at: Date;
  published_at: Date | null;
  removed_at: Date | null;
}

/** Of `analytics_report r`. */
export const reportColumns = `r.organization_id, r.analytics_id, r.prefix, r.aggregation, r.frequency,
  to_char(r.first_day, 'YYYY-MM-DD') AS first_day, to_char(r.last_day, 'YYYY-MM-DD') AS last_day, r.settings_ids,
  r.rows_per_shard, r.escape_formulas, r.status, r.attempt, r.retry_at, r.last_error, r.shards, r.rows, r.bytes,
  r.planned_at, r.published_at, r.removed_at`;

export function toReport(row: ReportRow): Report {
  return {
    organizationId: row.organization_id,
    analyticsId: row.analytics_id,
    prefix: row.prefix,
    aggregation: row.aggregation,
    frequency: row.frequency,
    firstDay: row.first_day,
    lastDay: row.last_day,
    settingsIds: row.settings_ids,
    rowsPerShard: row.rows_per_shard,
    escapeFormulas: row.escape_formulas,
    status: row.status,
    attempt: row.attempt,
    retryAt: row.retry_at ?? undefined,
    lastError: row.last_error ?? undefined,
    shards: row.shards,
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    plannedAt: row.planned_at,
    publishedAt: row.published_at ?? undefined,
    removedAt: row.removed_at ?? undefined,
  };
}
