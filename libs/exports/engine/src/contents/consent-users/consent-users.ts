import { literal } from '@delivery/platform/postgres';
import { consentLog } from '../../sources/consent-log';
import type { Content, ContentRange, ContentRequest, Months } from '../content';
import { inMonths, keyRanges, surveyRevisions } from '../revisions';

/** Per line; a user with more events in a window has several lines (rule 16). */
const MAX_EVENTS = 1000;
/** Per line, about: one with a thousand events of the largest size would not fit into a Postgres text. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** Users touched in the window, with their events in it: `{"user":{...},"events":[...]}` (contracts.md §1.6). */
export const consentUsers: Content = {
  name: 'consent-users',
  schemaVersion: 1,
  grouped: true,
  source: consentLog,
  linesSql,
  surveySql: surveyRevisions,
};

/**
 * One scan of the window by primary key, one sort of it by user, and one look-up per user.
 *
 * - Only events that count: a pending one has no `user_version`. GDPR only (contracts.md §1.6).
 * - The user is that of his last revision in the window, so it is his state as of the window's end. Only that revision
 *   is sure to hold the document; it is fetched by its key afterwards, because sorting it along for every event would
 *   double what has to be sorted.
 * - `COLLATE "C"` sorts by bytes: the same on every machine, and several times faster.
 */
function linesSql({ organizationId, ranges, includeGuests, months }: ContentRequest): string[] {
  if (ranges.length === 0) return [];
  const sql = `
    SELECT '{"user":' || d.user_document || ',"events":[' || l.events || ']}', l.count, (l.part = 0)::int4
    FROM (
      SELECT g.*, last_value(last_topic) OVER parts AS topic_id, last_value(last_partition) OVER parts AS partition,
        last_value(last_epoch) OVER parts AS epoch, last_value(last_offset) OVER parts AS log_offset,
        last_value(last_month) OVER parts AS month
      FROM (
        SELECT user_id, part, string_agg(event_document, ',' ORDER BY user_version) AS events, count(*)::int4 AS count,
          max(topic_id) FILTER (WHERE is_last) AS last_topic, max(partition) FILTER (WHERE is_last) AS last_partition,
          max(epoch) FILTER (WHERE is_last) AS last_epoch, max(log_offset) FILTER (WHERE is_last) AS last_offset,
          max(month) FILTER (WHERE is_last) AS last_month
        FROM (
          SELECT e.*, lead(1) OVER u IS NULL AS is_last,
            (row_number() OVER u - 1) / ${MAX_EVENTS} + sum(octet_length(event_document)) OVER u / ${MAX_EVENT_BYTES} AS part
          FROM (${rangesSql(organizationId, ranges, months)}) e
          WINDOW u AS (PARTITION BY user_id ORDER BY user_version ROWS UNBOUNDED PRECEDING)
        ) numbered
        GROUP BY user_id, part
      ) g
      WINDOW parts AS (PARTITION BY user_id ORDER BY part ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
      OFFSET 0
    ) l
    CROSS JOIN LATERAL (
      SELECT r.user_document FROM consent_event_revision r
      WHERE r.organization_id = ${literal(organizationId)} AND r.topic_id = l.topic_id AND r.partition = l.partition
        AND r.epoch = l.epoch AND r.log_offset = l.log_offset AND r.month = l.month
        AND ${inMonths('r.month', months)}
        ${includeGuests ? '' : 'AND NOT r.guest'}
      OFFSET 0
    ) d
    ORDER BY l.user_id, l.part`;
  return [sql];
}

/** Ranges of the primary key, with literal values: each is an index scan of exactly its rows. */
function rangesSql(organizationId: string, ranges: readonly ContentRange[], months: Months): string {
  return ranges
    .flatMap((range) => keyRanges(organizationId, range))
    .map(
      (rows) => `
        SELECT user_id COLLATE "C" AS user_id, user_version, event_document, topic_id, partition, epoch, log_offset, month
        FROM consent_event_revision
        WHERE ${rows} AND ${inMonths('month', months)} AND regulation = 'gdpr' AND user_version IS NOT NULL`,
    )
    .join(' UNION ALL ');
}
