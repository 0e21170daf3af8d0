import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { type MigrationClass, type PostgresConfig, runMigrations } from '@delivery/platform/postgres';

/** Migrations of all stores. */
export const allMigrations: readonly MigrationClass[] = [
  ...ingest,
  ...consent,
  ...exports,
  ...integrations,
  ...analytics,
];

/** Brings a database to this version; repeatable. @returns names of what was applied. */
export function migrateAll(config: PostgresConfig, progress: (line: string) => void): Promise<string[]> {
  return runMigrations(config, allMigrations, progress);
}
