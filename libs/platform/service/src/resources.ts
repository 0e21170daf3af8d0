import { type KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import { Database, type DatabaseOptions, type PostgresConfig } from '@delivery/platform/postgres';
import { type FactoryProvider, Logger } from '@nestjs/common';
import { HealthChecks } from './health-checks';
import { Lifecycle } from './lifecycle';

/** The service's `Database`: opened before anything uses it, part of readiness, closed last. */
export function provideDatabase(config: PostgresConfig, options: DatabaseOptions): FactoryProvider<Database> {
  return {
    provide: Database,
    inject: [HealthChecks, Lifecycle],
    useFactory: async (health: HealthChecks, lifecycle: Lifecycle) => {
      const database = await new Database(config, options).open();
      health.register('database', async () => void (await database.query('SELECT 1')));
      lifecycle.onClose(() => database.close(), 'database');
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
