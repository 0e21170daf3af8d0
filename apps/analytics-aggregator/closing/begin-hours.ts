import { hourOf } from '@delivery/analytics/domain';
import { hoursName } from '@delivery/analytics/schema';
import { ConsentRollupStore, OpenHourStore } from '@delivery/analytics/store';
import { consentRecorderName } from '@delivery/consent/schema';
import { databaseNow } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import type { Database } from '@delivery/platform/postgres';

/** Interactions may have waited in their topic for so long, which keeps them for seven days. */
const LOG_HOURS = 8 * 24;

/**
 * Begins the hours where counting may have to begin: with the first consent that is kept, or the oldest interaction that
 * the log may hold. Before anything is counted; repeatable, by any number of aggregators.
 */
export async function beginHours(database: Database): Promise<void> {
  const positions = new PositionStore();
  if ((await positions.find(database, hoursName, hoursName, 0)) !== undefined) return;
  const consent = await new ConsentRollupStore().firstArrival(database, consentRecorderName);
  const now = hourOf(await databaseNow(database));
  const first = Math.min(now - LOG_HOURS, consent === undefined ? now : hourOf(consent));
  await database.transaction(async (tx) => {
    const hour = await new OpenHourStore().begin(tx, first);
    const start = { consumer: hoursName, topic: hoursName, partition: 0, clusterId: '', firstOffset: BigInt(hour) };
    await positions.begin(tx, start);
  });
}
