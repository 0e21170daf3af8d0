import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports, RunLogReadModel, RunStore, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import {
  ApiKeyStore,
  BucketStore,
  entities,
  IntegrationStore,
  migrations as integrations,
  OrganizationStore,
} from '@delivery/integrations/store';
import { Database, type PostgresConfig } from '@delivery/platform/postgres';
import { provideDatabase } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';

const OVER_DATABASE = [OrganizationStore, ApiKeyStore, IntegrationStore, BucketStore] as const;
const OVER_TRANSACTIONS = [ScheduleStore, RunStore, RunLogReadModel] as const;

const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

/** The database and the stores over it, for all features. */
@Module({})
export class StoresModule {
  static register(config: PostgresConfig): DynamicModule {
    return {
      module: StoresModule,
      global: true,
      providers: [
        provideDatabase(config, { applicationName: 'integrations-api', entities, migrations }),
        ...OVER_DATABASE.map((Store) => ({
          provide: Store,
          inject: [Database],
          useFactory: (database: Database) => new Store(database),
        })),
        ...OVER_TRANSACTIONS.map((Store) => ({ provide: Store, useFactory: () => new Store() })),
      ],
      exports: [Database, ...OVER_DATABASE, ...OVER_TRANSACTIONS],
    };
  }
}
