import { RunLogReadModel, RunStore, ScheduleStore } from '@delivery/exports/store';
import { ApiKeyStore, BucketStore, entities, IntegrationStore, OrganizationStore } from '@delivery/integrations/store';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, Lifecycle } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import type { IntegrationsApiConfig } from './app.config';

const STORES = [OrganizationStore, ApiKeyStore, IntegrationStore, BucketStore] as const;

/** The database and the stores over it, for all features. */
@Module({})
export class StoresModule {
  static register(config: IntegrationsApiConfig): DynamicModule {
    return {
      module: StoresModule,
      global: true,
      providers: [
        {
          provide: Database,
          inject: [Lifecycle, HealthChecks],
          useFactory: (lifecycle: Lifecycle, health: HealthChecks) => openDatabase(config, lifecycle, health),
        },
        ...STORES.map((Store) => ({
          provide: Store,
          inject: [Database],
          useFactory: (database: Database) => new Store(database),
        })),
        { provide: ScheduleStore, useFactory: () => new ScheduleStore() },
        { provide: RunStore, useFactory: () => new RunStore() },
        { provide: RunLogReadModel, useFactory: () => new RunLogReadModel() },
      ],
      exports: [Database, ...STORES, ScheduleStore, RunStore, RunLogReadModel],
    };
  }
}

async function openDatabase(
  config: IntegrationsApiConfig,
  lifecycle: Lifecycle,
  health: HealthChecks,
): Promise<Database> {
  const database = new Database(config.postgres, { applicationName: 'integrations-api', entities });
  await database.open();
  lifecycle.onClose(() => database.close(), 'database');
  health.register('database', async () => void (await database.query('SELECT 1')));
  return database;
}
