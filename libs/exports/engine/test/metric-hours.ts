import { HOURS } from '../src';
import type { ExportWorld } from './export-world';

const HOUR_MS = 3_600_000;

/** A row of counts, with the columns that a test is about; the others are empty and 0. */
export interface CountedRow {
  readonly organization_id: string;
  readonly hour: number;
  readonly settings_id?: string;
  readonly domain?: string;
  readonly country?: string;
  readonly pageviews?: number;
  readonly notice_displays?: number;
  readonly consents_positive?: number;
}

export function hourOf(time: Date): number {
  return Math.floor(time.getTime() / HOUR_MS);
}

export function startOf(hour: number): Date {
  return new Date(hour * HOUR_MS);
}

/** Hours that were counted and closed, as the aggregator leaves them. */
export class MetricHours {
  constructor(private readonly world: ExportWorld) {}

  /** Forgets all that was closed: the first open hour is this one. */
  async begin(hour: number): Promise<void> {
    const { db, positions } = this.world;
    await db.query('TRUNCATE hourly_metric');
    await db.query('DELETE FROM ingest_position WHERE consumer = $1', [HOURS]);
    const place = { consumer: HOURS, topic: HOURS, partition: 0, clusterId: '', firstOffset: BigInt(hour) };
    await positions.begin(db, place);
  }

  /** Writes the counts of all hours before `hour` down, and closes them. */
  async closeUpTo(hour: number, rows: readonly CountedRow[] = []): Promise<void> {
    const { db, positions } = this.world;
    await db.transaction(async (tx) => {
      for (const row of rows) {
        await tx.query(
          `INSERT INTO hourly_metric (organization_id, hour, settings_id, domain, platform, device_type, country, regulation,
             pageviews, sessions, notice_displays, consents_positive, consents_negative, consents_partial, ui_interactions)
           VALUES ($1, $2, $3, $4, '', '', $5, '', $6, 0, $7, $8, 0, 0, 0)`,
          [
            row.organization_id,
            row.hour,
            row.settings_id ?? '',
            row.domain ?? '',
            row.country ?? '',
            row.pageviews ?? 0,
            row.notice_displays ?? 0,
            row.consents_positive ?? 0,
          ],
        );
      }
      const position = await positions.lock(tx, HOURS, HOURS, 0);
      if (position === undefined) throw new Error('the hours were not begun');
      const nextOffset = BigInt(hour);
      const recorded = nextOffset - position.nextOffset;
      const counted = { recorded, duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
      await positions.advance(tx, { position, nextOffset, counted });
    });
  }
}
