import { literal } from '@delivery/platform/postgres';
import type { ContentRange, ContentRequest, Months } from './content';

/** How many revisions the ranges hold, and the months they lie in: from the index alone. */
export function surveyRevisions({ organizationId, ranges }: Omit<ContentRequest, 'months'>): string {
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

/**
 * One condition for each epoch that a range touches. Comparing (epoch, log_offset) as one would say the same, but Postgres
 * cannot estimate such a comparison: it plans for one row where there are a hundred thousand.
 */
export function keyRanges(organizationId: string, { topicId, partition, from, to }: ContentRange): string[] {
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
export function inMonths(column: string, { first, last }: Months): string {
  return `${column} BETWEEN ${literal(first)}::date AND ${literal(last)}::date`;
}
