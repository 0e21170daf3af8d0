import { hourOf } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import { addDecisions } from './add-decisions';
import { claimInteractions } from './claim-interactions';
import { countInteractions, type DailyCount, type HourlyCount, type Session } from './count-interactions';
import { type InteractionToRecord, undashed } from './interaction';
import { OpenHourStore } from './open-hour.store';

export interface RecordedInteractions {
  readonly duplicates: number;
  /** Counted in a later hour than that of their arrival, which was sealed. */
  readonly late: number;
  /** Decisions that would have made too many services of their device. */
  readonly refused: readonly InteractionToRecord[];
}

const openHour = new OpenHourStore();

/**
 * Counts interactions of one partition, given in the order of its log, in the caller's transaction: it is the one that
 * moves the partition's position. Each counts in the hour of its arrival, or in the first open one if that is sealed.
 *
 * Rows carry the partition, so that recorders of others never wait for them; only claims and sessions are everybody's.
 */
export async function recordInteractions(
  tx: Sql,
  batch: readonly InteractionToRecord[],
  partition: number,
): Promise<RecordedInteractions> {
  const open = await openHour.hold(tx);
  const counted = await claimInteractions(tx, batch);
  const counts = countInteractions(counted, open);
  await addNewSessions(tx, counts.sessions);
  await addHourly(tx, counts.hourly.filter(holdsSomething), partition);
  await addDaily(tx, counts.daily, partition);
  const refused = await addDecisions(tx, counts.decisions, partition);
  const late = counted.filter(({ arrivedAt }) => hourOf(arrivedAt) < open).length;
  return { duplicates: batch.length - counted.length, late, refused };
}

/** Counts those that were not seen in their hour before. Sorted, as claims are. */
async function addNewSessions(tx: Sql, sessions: readonly Session[]): Promise<void> {
  if (sessions.length === 0) return;
  const known = new Map(sessions.map((each) => [each.session, each]));
  const rows = [...known.keys()].sort().flatMap((key) => known.get(key) ?? []);
  const added = await tx.query<{ session: string }>(
    `INSERT INTO interaction_session (organization_id, hour, session)
     SELECT * FROM unnest($1::text[], $2::int[], $3::uuid[]) ON CONFLICT DO NOTHING RETURNING session`,
    [rows.map((row) => row.organizationId), rows.map(({ hour }) => hour), rows.map(({ session }) => session)],
  );
  for (const { session } of added) {
    const found = known.get(undashed(session));
    if (found) found.of.sessions += 1;
  }
}

function holdsSomething({ pageviews, sessions, noticeDisplays, uiInteractions }: HourlyCount): boolean {
  return pageviews + sessions + noticeDisplays + uiInteractions > 0;
}

async function addHourly(tx: Sql, rows: readonly HourlyCount[], partition: number): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO interaction_hourly AS t (organization_id, hour, partition, settings_id, domain, platform, device_type,
       country, regulation, pageviews, sessions, notice_displays, ui_interactions)
     SELECT organization_id, hour, $1, settings_id, domain, platform, device_type, country, regulation, pageviews, sessions,
       notice_displays, ui_interactions
     FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) AS u(organization_id, hour, settings_id, domain, platform,
       device_type, country, regulation, pageviews, sessions, notice_displays, ui_interactions)
     ON CONFLICT (organization_id, hour, partition, settings_id, domain, platform, device_type, country, regulation)
     DO UPDATE SET pageviews = t.pageviews + excluded.pageviews, sessions = t.sessions + excluded.sessions,
       notice_displays = t.notice_displays + excluded.notice_displays,
       ui_interactions = t.ui_interactions + excluded.ui_interactions`,
    [
      partition,
      rows.map((row) => row.organizationId),
      rows.map((row) => row.hour),
      rows.map((row) => row.settingsId),
      rows.map((row) => row.domain),
      rows.map((row) => row.platform),
      rows.map((row) => row.deviceType),
      rows.map((row) => row.country),
      rows.map((row) => row.regulation),
      rows.map((row) => row.pageviews),
      rows.map((row) => row.sessions),
      rows.map((row) => row.noticeDisplays),
      rows.map((row) => row.uiInteractions),
    ],
  );
}

async function addDaily(tx: Sql, rows: readonly DailyCount[], partition: number): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO interaction_daily AS t (organization_id, day, partition, settings_id, event_type, platform, browser,
       country, count)
     SELECT organization_id, day, $1, settings_id, event_type, platform, browser, country, count
     FROM unnest($2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[])
       AS u(organization_id, day, settings_id, event_type, platform, browser, country, count)
     ON CONFLICT (organization_id, day, partition, settings_id, event_type, platform, browser, country)
     DO UPDATE SET count = t.count + excluded.count`,
    [
      partition,
      rows.map((row) => row.organizationId),
      rows.map((row) => row.day),
      rows.map((row) => row.settingsId),
      rows.map((row) => row.eventType),
      rows.map((row) => row.platform),
      rows.map((row) => row.browser),
      rows.map((row) => row.country),
      rows.map((row) => row.count),
    ],
  );
}
