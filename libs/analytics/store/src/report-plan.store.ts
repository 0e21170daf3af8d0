import {
  type Aggregation,
  formatReportPrefix,
  type ReportPeriod,
  type WantedPeriods,
} from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { ReportKey } from './report';

/** Reports of one frequency and aggregation that an organization wants under one of its analytics ids. */
export interface ReportWish extends WantedPeriods {
  readonly organizationId: string;
  readonly analyticsId: string;
  readonly aggregation: Aggregation;
  readonly settingsIds: readonly string[];
}

/** What is frozen in a report's row beside what is wished. */
export interface ReportTerms {
  readonly rowsPerShard: number;
  /** Whether texts that a spreadsheet would take for a formula begin with an apostrophe. */
  readonly escapeFormulas: boolean;
}

/** Which reports are to be made. A report that is planned is a row for ever. */
export class ReportPlanStore {
  /** What all enabled analytics ids want, with how far it is planned. */
  async listWishes(sql: Sql): Promise<ReportWish[]> {
    const rows = await sql.query<WishRow>(
      `SELECT a.organization_id, a.id, a.settings_ids, f.frequency, g.aggregation,
         to_char(a.reports_from, 'YYYY-MM-DD') AS reports_from,
         to_char(r.first_day, 'YYYY-MM-DD') AS first_day, to_char(r.last_day, 'YYYY-MM-DD') AS last_day
       FROM analytics_id a, unnest(a.frequencies) AS f(frequency), unnest(a.aggregations) AS g(aggregation),
         LATERAL (
           SELECT min(p.last_day) AS first_day, max(p.last_day) AS last_day FROM analytics_report p
           WHERE p.organization_id = a.organization_id AND p.analytics_id = a.id
             AND p.frequency = f.frequency AND p.aggregation = g.aggregation) r
       WHERE a.enabled ORDER BY a.organization_id, a.id, f.frequency, g.aggregation`,
    );
    return rows.map(toWish);
  }

  /**
   * Plans periods of a wish, all or none. Repeatable, and any number of schedulers may do it.
   * @returns those that were not planned before
   */
  async insert(
    sql: Sql,
    wish: ReportWish,
    periods: readonly ReportPeriod[],
    { rowsPerShard, escapeFormulas }: ReportTerms,
  ): Promise<ReportKey[]> {
    const { organizationId, analyticsId, aggregation, frequency, settingsIds } = wish;
    const prefixes = periods.map((period) => formatReportPrefix({ ...period, aggregation }));
    const rows = await sql.query<{ prefix: string }>(
      `INSERT INTO analytics_report (organization_id, analytics_id, prefix, aggregation, frequency, first_day, last_day,
         settings_ids, rows_per_shard, escape_formulas, planned_at)
       SELECT $1, $2, p.prefix, $3, $4, p.first_day, p.last_day, $5, $6, $7, delivery_now()
       FROM unnest($8::text[], $9::date[], $10::date[]) AS p(prefix, first_day, last_day)
       ON CONFLICT DO NOTHING RETURNING prefix`,
      [
        ...[organizationId, analyticsId, aggregation, frequency, settingsIds, rowsPerShard, escapeFormulas, prefixes],
        periods.map(({ firstDay }) => firstDay),
        periods.map(({ lastDay }) => lastDay),
      ],
    );
    return rows.map(({ prefix }) => ({ organizationId, analyticsId, prefix }));
  }
}

interface WishRow extends Record<string, unknown> {
  organization_id: string;
  id: string;
  settings_ids: string[];
  frequency: ReportWish['frequency'];
  aggregation: Aggregation;
  reports_from: string;
  first_day: string | null;
  last_day: string | null;
}

function toWish({ first_day: first, last_day: last, ...row }: WishRow): ReportWish {
  return {
    organizationId: row.organization_id,
    analyticsId: row.id,
    aggregation: row.aggregation,
    frequency: row.frequency,
    settingsIds: row.settings_ids,
    reportsFrom: row.reports_from,
    planned: first === null || last === null ? undefined : { first, last },
  };
}
