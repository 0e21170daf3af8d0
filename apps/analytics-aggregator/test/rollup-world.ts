import { setTimeout as delay } from 'node:timers/promises';
import { PositionStore } from '@delivery/ingest/store';
import { Database } from '@delivery/platform/postgres';
import { testDatabase, type TestDatabase, waitFor } from '@delivery/platform/testing';
import { beginHours } from '../closing/begin-hours';
import { allMigrations } from './report-world';

const HOUR_MS = 3_600_000;

/** A database with organizations, in which the hours have begun. */
export class RollupWorld {
  readonly positions = new PositionStore();

  private constructor(
    readonly test: TestDatabase,
    /** With the rights of the aggregator, and no others. */
    readonly aggregator: Database,
  ) {}

  static async open(organizations: readonly string[]): Promise<RollupWorld> {
    const test = await testDatabase({ migrations: allMigrations });
    for (const organization of organizations) {
      await test.database.query(`INSERT INTO organization (organization_id, name) VALUES ($1, $1)`, [organization]);
    }
    const aggregator = await openAs(test, 'delivery_aggregator');
    await beginHours(aggregator);
    return new RollupWorld(test, aggregator);
  }

  get db(): Database {
    return this.test.database;
  }

  /** All of a table, each row as text, in an order of its own. */
  async rows(text: string): Promise<string[]> {
    const rows = await this.db.query<Record<string, unknown>>(text);
    return rows.map((row) => Object.values(row).map(String).join('|')).sort();
  }

  /** Every connection made from now on believes that it is so much later. */
  async moveClock(interval: string): Promise<void> {
    const [row] = await this.db.query<{ name: string }>('SELECT current_database() AS name');
    await this.db.query(`ALTER DATABASE ${row?.name} SET delivery.clock_offset = '${interval}'`);
  }

  /** Until somebody wants to seal hours, and is kept from it. */
  async untilSealingWaits(): Promise<void> {
    const text = `SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'analytics_open_hour'::regclass`;
    await waitFor(async () => (await this.db.query(text)).length > 0, { describe: 'sealing to wait' });
  }

  /** Ends a connection of the aggregator's that is in the middle of a transaction, if there is one. */
  async killOne(): Promise<void> {
    await this.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'delivery_aggregator' AND xact_start IS NOT NULL
       ORDER BY random() LIMIT 1`,
    );
  }

  async close(): Promise<void> {
    await this.aggregator.close();
    await this.test.close();
  }
}

export async function openAs({ config }: TestDatabase, role: string): Promise<Database> {
  const own = Object.assign(Object.create(Object.getPrototypeOf(config)), config, { role });
  return new Database(own, { applicationName: role }).open();
}

/** Waits for the next hour when this one is nearly over: a test that reads the clock twice would see two. */
export async function awayFromHourEnd(): Promise<void> {
  const leftMs = HOUR_MS - (Date.now() % HOUR_MS);
  if (leftMs < 20_000) await delay(leftMs);
}
