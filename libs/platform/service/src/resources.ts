import { type KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import {
  Database,
  type DatabaseOptions,
  type MigrationClass,
  type PostgresConfig,
  requireMigrations,
} from '@delivery/platform/postgres';
import { type FactoryProvider, Logger } from '@nestjs/common';
import { HealthChecks } from './health-checks';
import { Lifecycle } from './lifecycle';

export interface ServiceDatabaseOptions extends DatabaseOptions {
  /** Of the stores that the service uses: it does not start before the migrate step has applied them. */
  readonly migrations: readonly MigrationClass[];
}

/** The service's `Database`: opened before anything uses it, part of readiness, closed last. */
export function provideDatabase(
  config: PostgresConfig,
  { migrations, ...options }: ServiceDatabaseOptions,
): FactoryProvider<Database> {
  return {
    provide: Database,
    inject: [HealthChecks, Lifecycle],
    useFactory: async (health: HealthChecks, lifecycle: Lifecycle) => {
      const database = await new Database(config, options).open();
      health.register('database', async () => void (await database.query('SELECT 1')));
      lifecycle.onClose(() => database.close(), 'database');
      await requireMigrations(database, migrations);
      return database;
    },
  };
}

/** The service's `KafkaConnection`: part of readiness, closed when nothing publishes any more. */
export function provideKafka(config: KafkaConfig): FactoryProvider<KafkaConnection> {
  return {
    provide: KafkaConnection,
    inject: [HealthChecks, Lifecycle],
    useFactory: (health: HealthChecks, lifecycle: Lifecycle) => {
      const connection = new KafkaConnection(config, new Logger('kafka'));
      health.register('kafka', async () => void (await connection.clusterId()));
      lifecycle.onClose(() => connection.close(), 'kafka');
      return connection;
    },
  };
}
