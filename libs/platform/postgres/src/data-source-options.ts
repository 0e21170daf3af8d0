import type { DataSourceOptions } from 'typeorm';
import type { PostgresConfig } from './postgres.config';

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  entities?: Exclude<DataSourceOptions['entities'], undefined>;
  /** Connect to the read replica when one is configured. */
  read?: boolean;
}

export function dataSourceOptions(config: PostgresConfig, options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.read ? (config.readUrl ?? config.url) : config.url,
    // With a certificate authority or the system's: chain and host name are verified (what libpq calls verify-full).
    ...(config.ssl && { ssl: { rejectUnauthorized: true, ...(config.sslCa && { ca: config.sslCa }) } }),
    entities: options.entities ?? [],
    synchronize: false,
    migrationsRun: false,
    logging: false,
    applicationName: options.applicationName,
    poolSize: config.poolSize,
    connectTimeoutMS: 10_000,
    // Extensions are never created by the platform; without this TypeORM looks for uuid-ossp at start.
    installExtensions: false,
    // An idle connection died; the pool has dropped it already. Unheard, the event would end the process.
    poolErrorHandler: () => undefined,
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      statement_timeout: config.statementTimeoutMs,
      // A process that hangs or is frozen inside a transaction must not keep its locks.
      idle_in_transaction_session_timeout: config.idleInTransactionTimeoutMs,
      ...(config.role !== '' && { options: `-c role=${config.role}` }),
    },
  };
}
