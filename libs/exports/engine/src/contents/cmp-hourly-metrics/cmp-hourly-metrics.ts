import { literal } from '@delivery/platform/postgres';
import { closedHours } from '../../sources/closed-hours';
import type { Content, ContentRange, ContentRequest } from '../content';

/** A line for each closed hour of the window and each combination of dimensions that occurred in it (contracts.md D-18). */
export const cmpHourlyMetrics: Content = {
  name: 'cmp_hourly_metrics',
  schemaVersion: 1,
  grouped: false,
  source: closedHours,
  linesSql,
  surveySql,
};

/** In the order of the contract; what is not known is stored as an empty text, and delivered as null. */
const FIELDS = `m.organization_id, ${dayOf('m.hour')} AS date, m.hour % 24 AS hour, nullif(m.domain, '') AS domain,
  nullif(m.platform, '') AS platform, nullif(m.device_type, '') AS device_type, nullif(m.country, '') AS country,
  nullif(m.regulation, '') AS regulation, nullif(m.settings_id, '') AS notice_id, m.pageviews, m.sessions,
  m.notice_displays, m.consents_positive, m.consents_negative, m.consents_partial, m.ui_interactions`;

/** The primary key. `COLLATE "C"` sorts by bytes, the same on every machine; Postgres sorts one hour at a time. */
const ORDER = ['settings_id', 'domain', 'platform', 'device_type', 'country', 'regulation']
  .map((column) => `m.${column} COLLATE "C"`)
  .join(', ');

function linesSql({ organizationId, ranges }: ContentRequest): string[] {
  return ranges.map(
    (range) => `
      SELECT row_to_json(line)::text FROM hourly_metric m CROSS JOIN LATERAL (SELECT ${FIELDS}) line
      WHERE ${rowsOf(organizationId, range)}
      ORDER BY m.hour, ${ORDER}`,
  );
}

function surveySql({ organizationId, ranges }: Omit<ContentRequest, 'months'>): string {
  const each = ranges.map(
    (range) =>
      `SELECT count(*) AS events, min(m.hour) AS first, max(m.hour) AS last FROM hourly_metric m
       WHERE ${rowsOf(organizationId, range)}`,
  );
  const none = 'SELECT 0 AS events, NULL::int AS first, NULL::int AS last';
  return `SELECT sum(events)::int8 AS events, ${monthOf('min(first)')} AS first_month, ${monthOf('max(last)')} AS last_month
    FROM (${each.join(' UNION ALL ') || none}) ranges`;
}

/** Offsets are hours since 1970, in whichever epoch: an hour is not counted a second time. */
function rowsOf(organizationId: string, { from, to }: ContentRange): string {
  return `m.organization_id = ${literal(organizationId)} AND m.hour >= ${from.offset} AND m.hour < ${to.offset}`;
}

function dayOf(hour: string): string {
  return `date '1970-01-01' + ${hour} / 24`;
}

function monthOf(hour: string): string {
  return `date_trunc('month', ${dayOf(hour)})::date::text`;
}
