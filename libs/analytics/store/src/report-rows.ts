import type { Aggregation } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { ReportPlan } from './report';

/** Rows fetched at once: about a hundred kilobytes. */
const BATCH = 1_000;

const queries: Readonly<Record<Aggregation, string>> = {
  interaction: `
    SELECT to_char(day, 'YYYY-MM-DD') AS date, settings_id, event_type, platform, browser, country, sum(count)::text AS count
    FROM interaction_daily
    WHERE organization_id = $1 AND day BETWEEN $2 AND $3 AND settings_id = ANY ($4)
    GROUP BY day, settings_id, event_type, platform, browser, country
    ORDER BY day, settings_id COLLATE "C", event_type COLLATE "C", platform COLLATE "C", browser COLLATE "C",
      country COLLATE "C"`,
  granular: `
    SELECT to_char(day, 'YYYY-MM-DD') AS date, settings_id, template_id, service, action::text, action_type, consent::text,
      count::text
    FROM granular_daily
    WHERE organization_id = $1 AND day BETWEEN $2 AND $3 AND settings_id = ANY ($4)
    ORDER BY day, settings_id COLLATE "C", template_id COLLATE "C", service COLLATE "C", action, action_type COLLATE "C",
      consent`,
};

/**
 * The rows of a report as texts, in the order of its columns (contracts.md U-6), in batches that are never empty. Reads
 * with a cursor: a thousand rows are in memory, whatever the report has. Always in the same order.
 *
 * @param tx - a transaction: the cursor lives in it
 */
export async function* readReportRows(
  tx: Sql,
  { aggregation, organizationId, firstDay, lastDay, settingsIds }: ReportPlan,
): AsyncGenerator<string[][]> {
  // By default a cursor is planned for its first rows; here all of them are read.
  await tx.query('SET LOCAL cursor_tuple_fraction = 1');
  await tx.query(`DECLARE report_rows NO SCROLL CURSOR FOR ${queries[aggregation]}`, [
    organizationId,
    firstDay,
    lastDay,
    settingsIds,
  ]);
  for (;;) {
    const rows = await tx.query<Record<string, string>>(`FETCH ${BATCH} FROM report_rows`);
    if (rows.length > 0) yield rows.map((row) => Object.values(row));
    if (rows.length < BATCH) break;
  }
  await tx.query('CLOSE report_rows');
}
