import type { Sql } from '@delivery/platform/postgres';

/** Hours `[from, to)`, and the days that end with one of them. */
export interface ClosingHours {
  readonly from: number;
  readonly to: number;
  readonly days: readonly string[];
}

/** Rows that were made, by table. */
export interface ClosedRows {
  readonly hourly_metric: number;
  readonly interaction_daily: number;
  readonly granular_daily: number;
}

/** In place of a partition: all of them together. */
const ALL_PARTITIONS = -1;

/**
 * Makes what was counted in sealed hours final, in the caller's transaction: it is the one that moves the position of the
 * hours. Of what was only needed to count, nothing is left.
 */
export async function closeHours(tx: Sql, { from, to, days }: ClosingHours): Promise<ClosedRows> {
  const [made] = await tx.query<{ rows: number }>(
    `WITH interactions AS (DELETE FROM interaction_hourly WHERE hour >= $1 AND hour < $2 RETURNING *),
       consents AS (DELETE FROM consent_hourly WHERE hour >= $1 AND hour < $2 RETURNING *),
       counted AS (
         SELECT organization_id, hour, settings_id, domain, platform, device_type, country, regulation,
           pageviews, sessions, notice_displays, 0 AS positive, 0 AS negative, 0 AS partial, ui_interactions
         FROM interactions
         UNION ALL
         SELECT organization_id, hour, settings_id, domain, platform, device_type, country, regulation,
           0, 0, 0, positive, negative, partial, 0
         FROM consents),
     made AS (
       INSERT INTO hourly_metric (organization_id, hour, settings_id, domain, platform, device_type, country, regulation,
       pageviews, sessions, notice_displays, consents_positive, consents_negative, consents_partial, ui_interactions)
       SELECT organization_id, hour, settings_id, domain, platform, device_type, country, regulation, sum(pageviews),
         sum(sessions), sum(notice_displays), sum(positive), sum(negative), sum(partial), sum(ui_interactions)
       FROM counted GROUP BY organization_id, hour, settings_id, domain, platform, device_type, country, regulation
       RETURNING 1)
     SELECT count(*)::int AS rows FROM made`,
    [from, to],
  );
  await tx.query('DELETE FROM interaction_session WHERE hour >= $1 AND hour < $2', [from, to]);
  let [interactions, granular] = [0, 0];
  for (const day of days) {
    // By the primary keys, row by row: hashing or sorting would write the whole day to disk once more.
    await tx.query(`SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`);
    interactions += await closeInteractions(tx, day);
    granular += await closeDecisions(tx, day);
  }
  return { hourly_metric: made?.rows ?? 0, interaction_daily: interactions, granular_daily: granular };
}

/** Adds up what was counted of each partition: nobody counts into the day any more, and the rows are kept. */
async function closeInteractions(tx: Sql, day: string): Promise<number> {
  const [made] = await tx.query<{ rows: number }>(
    `WITH counted AS (
       DELETE FROM interaction_daily d USING organization o
       WHERE d.organization_id = o.organization_id AND d.day = $1::date RETURNING d.*),
     made AS (
       INSERT INTO interaction_daily (organization_id, day, partition, settings_id, event_type, platform, browser, country,
         count)
       SELECT organization_id, day, ${ALL_PARTITIONS}, settings_id, event_type, platform, browser, country, sum(count)
       FROM counted GROUP BY organization_id, day, settings_id, event_type, platform, browser, country
       RETURNING 1)
     SELECT count(*)::int AS rows FROM made`,
    [day],
  );
  return made?.rows ?? 0;
}

/**
 * Counts devices by their last decision on each service. Nearly every device sent all it had to one partition, where
 * later decisions have replaced earlier ones; only the others have to be compared.
 */
async function closeDecisions(tx: Sql, day: string): Promise<number> {
  const [made] = await tx.query<{ rows: number }>(
    `WITH last AS (
       SELECT organization_id, settings_id, template_id, decided
       FROM interaction_decision d, jsonb_each(services) AS s(template_id, decided)
       WHERE day = $1::date AND NOT ${elsewhere}
       UNION ALL
       SELECT organization_id, settings_id, template_id, decided FROM (
         SELECT DISTINCT ON (organization_id, settings_id, device, template_id)
           organization_id, settings_id, template_id, decided
         FROM interaction_decision d, jsonb_each(services) AS s(template_id, decided)
         WHERE day = $1::date AND ${elsewhere}
         ORDER BY organization_id, settings_id, device, template_id,
           (decided->>4)::bigint DESC, partition DESC, (decided->>5)::bigint DESC) latest),
     made AS (
       INSERT INTO granular_daily (organization_id, day, settings_id, template_id, service, action, action_type, consent,
         count)
       SELECT organization_id, $1::date, settings_id, template_id, decided->>0, (decided->>1)::smallint, decided->>2,
         (decided->>3)::smallint, count(*)
       FROM last GROUP BY 1, 3, 4, 5, 6, 7, 8
       RETURNING 1)
     SELECT count(*)::int AS rows FROM made`,
    [day],
  );
  await tx.query('DELETE FROM interaction_decision WHERE day = $1', [day]);
  return made?.rows ?? 0;
}

/** Whether the same device decided in another partition, too, that day. */
const elsewhere = `EXISTS (
  SELECT FROM interaction_decision o
  WHERE (o.organization_id, o.day, o.settings_id, o.device) = (d.organization_id, d.day, d.settings_id, d.device)
    AND o.partition <> d.partition)`;
