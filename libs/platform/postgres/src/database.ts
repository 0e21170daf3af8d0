import type { PostgresConfig } from './postgres.config';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Pool, type PoolClient, type QueryResult } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { DatabaseError, mapDatabaseError } from './errors';
import type { Sql, Transaction } from './sql';

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  entities?: Exclude<DataSourceOptions['entities'], undefined>;
  /** Connect to the read replica when one is configured. */
  read?: boolean;
}

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  /** How often a deadlock or serialization failure (40P01, 40001) is tried again; 5 by default. */
  retries?: number;
  /** Cancels statements of this transaction after so many milliseconds; 0 means never. */
  statementTimeoutMs?: number;
}

/**
 * One pool for a process: the TypeORM DataSource's own, so that control tables and bulk work share its connections.
 * A connection that breaks is dropped and replaced; a broken one never crashes the process.
 */
export class Database implements Sql {
  readonly dataSource: DataSource;

  constructor(config: PostgresConfig, options: DatabaseOptions) {
    this.dataSource = new DataSource(dataSourceOptions(config, options));
  }

  /** @throws DatabaseError `unavailable` when Postgres does not answer. */
  async open(): Promise<this> {
    try {
      await this.dataSource.initialize();
    } catch (error) {
      throw mapDatabaseError(error);
    }
    this.pool.on('error', () => undefined); // an idle connection died; the pool has dropped it already
    return this;
  }

  get pool(): Pool {
    const { driver } = this.dataSource;
    if (!(driver instanceof PostgresDriver)) throw new TypeError('the data source is not of Postgres');
    return driver.master;
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<R[]> {
    try {
      return rowsOf<R>(await this.pool.query(text, values as unknown[]));
    } catch (error) {
      throw mapDatabaseError(error);
    }
  }

  /**
   * Runs `fn` in one transaction and commits when it resolves. `fn` runs again after a deadlock or a serialization
   * failure, so it must have no effects but those on the transaction.
   * @throws DatabaseError, or what `fn` threw.
   */
  async transaction<T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const retries = options.retries ?? 5;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(fn, options);
      } catch (error) {
        const mapped = mapDatabaseError(error);
        if (!(mapped instanceof DatabaseError) || mapped.code !== 'conflict' || attempt >= retries) throw mapped;
        await delay(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  /** The same for control tables: TypeORM's manager and plain SQL on the one connection. Not repeated. */
  async entityTransaction<T>(fn: (manager: EntityManager, sql: Sql) => Promise<T>): Promise<T> {
    try {
      return await this.dataSource.transaction((manager) => fn(manager, sqlOf(manager)));
    } catch (error) {
      throw mapDatabaseError(error);
    }
  }

  private async once<T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => (broken = error);
    client.on('error', onError);
    try {
      await client.query(beginStatement(options));
      const result = await fn(transactionOn(client, (error) => (broken = error)));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A rollback that fails means a dead connection: Postgres rolls back by itself.
      await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

function beginStatement(options: TransactionOptions): string {
  const begin = `BEGIN ISOLATION LEVEL ${options.isolation ?? 'read committed'}${options.readOnly ? ' READ ONLY' : ''}`;
  return options.statementTimeoutMs === undefined
    ? begin
    : `${begin}; SET LOCAL statement_timeout = ${Number(options.statementTimeoutMs)}`;
}

function transactionOn(client: PoolClient, onBroken: (error: Error) => void): Transaction {
  return {
    client,
    async query<R>(text: string, values?: readonly unknown[]) {
      return rowsOf<R>(await client.query(text, values as unknown[]));
    },
    async copyIn(text, chunks) {
      const sink = client.query(copyFrom(text));
      await pipeline(Readable.from(chunks, { objectMode: false, highWaterMark: 1 << 18 }), sink);
      return sink.rowCount ?? 0;
    },
    copyOut(text) {
      const source = client.query(copyTo(text, { highWaterMark: 1 << 18 }));
      let ended = false;
      source.once('end', () => (ended = true));
      // Rows left unread would be taken for answers to the next statement.
      source.once('close', () => {
        if (ended) return;
        onBroken(new Error('a copy was left before its end'));
        // Nobody reads the rest: a ROLLBACK would wait behind it for ever, so the connection is cut at once.
        if (client instanceof Client) void client.end();
      });
      return source;
    },
  };
}

function sqlOf(manager: EntityManager): Sql {
  return {
    async query<R>(text: string, values?: readonly unknown[]) {
      const result: unknown = await manager.query(text, values as unknown[]);
      // TypeORM answers [rows, affected] for UPDATE and DELETE.
      const rows = Array.isArray(result) && Array.isArray(result[0]) && typeof result[1] === 'number' ? result[0] : result;
      return rows as R[];
    },
  };
}

function rowsOf<R>(result: QueryResult | QueryResult[]): R[] {
  return (Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows) as R[];
}

function dataSourceOptions(config: PostgresConfig, options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.read ? (config.readUrl ?? config.url) : config.url,
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
    poolErrorHandler: () => undefined,
    extra: {
      keepAlive: true,
      statement_timeout: config.statementTimeoutMs,
      ...(config.role !== '' && { options: `-c role=${config.role}` }),
    },
  };
}
