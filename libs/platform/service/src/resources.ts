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
import { Metrics } from './metrics';
import { PoolWatch } from './pool-watch';
import { databaseConnectionLimit, databaseConnections, publishSeconds, transactionRetries } from './service-metrics';

export interface ServiceDatabaseOptions extends DatabaseOptions {
  /** Of the stores that the service uses: it does not start before the migrate step has applied them. */
  readonly migrations: readonly MigrationClass[];
}

const POOL_LOOK_MS = 1_000;

/** The service's `Database`: opened before anything uses it, part of readiness, closed last. Needs `databaseMetrics`. */
export function provideDatabase(
  config: PostgresConfig,
  { migrations, ...options }: ServiceDatabaseOptions,
): FactoryProvider<Database> {
  return {
    provide: Database,
    inject: [HealthChecks, Lifecycle, Metrics],
    useFactory: async (health: HealthChecks, lifecycle: Lifecycle, metrics: Metrics) => {
      const retries = metrics.counter(transactionRetries);
      const database = await new Database(config, options, { retried: () => retries.inc() }).open();
      lifecycle.onClose(() => database.close(), 'database');
      watchDatabase(config, database, health, lifecycle);
      showPool(database, metrics);
      await requireMigrations(database, migrations);
      return database;
    },
  };
}

/** Readiness: the database answers, and its connections do not fail callers for too long. */
function watchDatabase(
  { poolWaitSeconds }: PostgresConfig,
  database: Database,
  health: HealthChecks,
  lifecycle: Lifecycle,
): void {
  const watch = new PoolWatch(() => database.connections(), poolWaitSeconds);
  const timer = setInterval(() => watch.look(), POOL_LOOK_MS).unref();
  lifecycle.onClose(() => clearInterval(timer), 'database pool');
  health.register('database_pool', () => {
    const fault = watch.fault();
    if (fault !== undefined) throw new Error(`${fault} Raise DATABASE_POOL_SIZE, or find what holds them.`);
  });
  health.register('database', async () => {
    // In the queue behind others the question would only tell of the queue, which is asked above.
    if (!watch.exhausted) await database.query('SELECT 1');
  });
}

function showPool(database: Database, metrics: Metrics): void {
  metrics.gaugeOf(databaseConnections, (gauge) => {
    const { busy, idle, waiting } = database.connections();
    gauge.set({ state: 'busy' }, busy);
    gauge.set({ state: 'idle' }, idle);
    gauge.set({ state: 'waiting' }, waiting);
  });
  metrics.gauge(databaseConnectionLimit).set(database.connections().limit);
}

export interface ServiceKafkaOptions {
  /** Whether the service is of use without Kafka: then it is no part of readiness. Default false. */
  readonly optional?: boolean;
}

/** The service's `KafkaConnection`: part of readiness, closed when nothing publishes any more. Needs `kafkaMetrics`. */
export function provideKafka(config: KafkaConfig, options: ServiceKafkaOptions = {}): FactoryProvider<KafkaConnection> {
  return {
    provide: KafkaConnection,
    inject: [HealthChecks, Lifecycle, Metrics],
    useFactory: (health: HealthChecks, lifecycle: Lifecycle, metrics: Metrics) => {
      const seconds = metrics.histogram(publishSeconds);
      const connection = new KafkaConnection(config, new Logger('kafka'), {
        published: (topic, outcome, took) => seconds.observe({ topic, outcome }, took),
      });
      lifecycle.onClose(() => connection.close(), 'kafka');
      if (options.optional === true) return connection;
      health.register('kafka', async () => void (await connection.clusterId()));
      health.register('publisher', () => {
        const faults = connection.publisher().faults();
        if (faults.length > 0) throw new Error(faults.join(' '));
      });
      return connection;
    },
  };
}
