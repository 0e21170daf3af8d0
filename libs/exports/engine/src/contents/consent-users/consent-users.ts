import { literal } from '@delivery/platform/postgres';
import type { Content, ContentRange, ContentRequest, Months } from '../content';

/** Per line; a user with more events in a window has several lines (rule 16). */
const MAX_EVENTS = 1000;
/** Per line, about: one with a thousand events of the largest size would not fit into a Postgres text. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** Users touched in the window, with their events in it: `{"user":{...},"events":[...]}` (contracts.md §1.6). */
export const consentUsers: Content = { name: 'consent-users', schemaVersion: 1, linesSql, surveySql };

/**
 * One scan of the window by primary key, one sort of it by user, and one look-up per user.
 *
 * - Only events that count: a pending one has no `user_version`. GDPR only (contracts.md §1.6).
 * - The user is that of his last revision in the window, so it is his state as of the window's end. Only that revision
 *   is sure to hold the document; it is fetched by its key afterwards, because sorting it along for every event would
 *   double what has to be sorted.
 * - `COLLATE "C"` sorts by bytes: the same on every machine, and several times faster.
 */
function linesSql({ organizationId, ranges, includeGuests, months }: ContentRequest): string {
  if (ranges.length === 0) return `SELECT NULL::text, NULL::int4, NULL::int4 WHERE false`;
  return `
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
        AND ${within('r.month', months)}
        ${includeGuests ? '' : 'AND NOT r.guest'}
      OFFSET 0
    ) d
    ORDER BY l.user_id, l.part`;
}

function surveySql({ organizationId, ranges }: Omit<ContentRequest, 'months'>): string {
  if (ranges.length === 0) return `SELECT 0::int8 AS events, NULL::text AS first_month, NULL::text AS last_month`;
  const each = ranges
    .flatMap((range) => keyRanges(organizationId, range))
    .map(
      (rows) => `SELECT count(*) AS events, min(month) AS first, max(month) AS last
        FROM consent_event_revision WHERE ${rows}`,
    );
  return `SELECT sum(events)::int8 AS events, min(first)::text AS first_month, max(last)::text AS last_month
    FROM (${each.join(' UNION ALL ')}) ranges`;
}

/** Ranges of the primary key, with literal values: each is an index scan of exactly its rows. */
function rangesSql(organizationId: string, ranges: readonly ContentRange[], months: Months): string {
  return ranges
    .flatMap((range) => keyRanges(organizationId, range))
    .map(
      (rows) => `
        SELECT user_id COLLATE "C" AS user_id, user_version, event_document, topic_id, partition, epoch, log_offset, month
        FROM consent_event_revision
        WHERE ${rows} AND ${within('month', months)} AND regulation = 'gdpr' AND user_version IS NOT NULL`,
    )
    .join(' UNION ALL ');
}

/**
 * One condition for each epoch that a range touches. Comparing (epoch, log_offset) as one would say the same, but Postgres
 * cannot estimate such a comparison: it plans for one row where there are a hundred thousand.
 */
function keyRanges(organizationId: string, { topicId, partition, from, to }: ContentRange): string[] {
  const key = `organization_id = ${literal(organizationId)} AND topic_id = ${topicId} AND partition = ${partition}`;
  if (from.epoch === to.epoch) {
    return [`${key} AND epoch = ${to.epoch} AND log_offset >= ${from.offset} AND log_offset < ${to.offset}`];
  }
  const between = `${key} AND epoch > ${from.epoch} AND epoch < ${to.epoch}`;
  return [
    `${key} AND epoch = ${from.epoch} AND log_offset >= ${from.offset}`,
    ...(to.epoch - from.epoch > 1 ? [between] : []),
    `${key} AND epoch = ${to.epoch} AND log_offset < ${to.offset}`,
  ];
}

/** Without it every month that was ever recorded would be opened. */
function within(column: string, { first, last }: Months): string {
  return `${column} BETWEEN ${literal(first)}::date AND ${literal(last)}::date`;
}
