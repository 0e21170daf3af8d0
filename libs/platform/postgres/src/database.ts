import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { dataSourceOptions, type DatabaseOptions } from './data-source-options';
import { DatabaseError, mapConnectError, mapDatabaseError } from './errors';
import type { PostgresConfig } from './postgres.config';
import { SilenceLimit } from './silence-limit';
import type { Sql, Transaction } from './sql';
import { sqlOn, transactionOn } from './transaction';

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  /** How often a deadlock or serialization failure (40P01, 40001) is tried again; 5 by default. */
  retries?: number;
  /** Cancels statements of this transaction after so many milliseconds; 0 means never. */
  statementTimeoutMs?: number;
  /** Ends the connection when nothing is asked of it for so many milliseconds; 0 means never. */
  idleTimeoutMs?: number;
}

/** Told of each transaction that is tried again after a deadlock or a serialization failure. */
export interface DatabaseObserver {
  retried(): void;
}

/**
 * One pool for a process: the TypeORM DataSource's own, so that control tables and bulk work share its connections.
 * A connection that breaks is dropped and replaced; a broken one never crashes the process.
 */
export class Database implements Sql {
  readonly dataSource: DataSource;
  private silence: SilenceLimit | undefined;

  constructor(
    private readonly config: PostgresConfig,
    options: DatabaseOptions,
    private readonly observer?: DatabaseObserver,
  ) {
    this.dataSource = new DataSource(dataSourceOptions(config, options));
  }

  /** @throws DatabaseError `unavailable` when Postgres does not answer. */
  async open(): Promise<this> {
    try {
      await this.dataSource.initialize();
      this.silence = new SilenceLimit(this.pool, this.config.statementTimeoutMs);
    } catch (error) {
      throw mapConnectError(error);
    }
    return this;
  }

  get pool(): Pool {
    const { driver } = this.dataSource;
    if (!(driver instanceof PostgresDriver)) throw new TypeError('the data source is not of Postgres');
    return driver.master;
  }

  /** What the pool's connections do at this moment; `waiting` are callers without one. */
  connections(): { busy: number; idle: number; waiting: number; limit: number } {
    const { totalCount, idleCount, waitingCount, options } = this.pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount, limit: options.max };
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<R[]> {
    return sqlOn(this.pool).query<R>(text, values);
  }

  /**
   * Runs `fn` in one transaction and commits when it resolves. `fn` runs again after a deadlock or a serialization
   * failure, so it must have no effects but those on the transaction. A connection lost during the commit is reported
   * as `unavailable`: whether it was committed is then unknown.
   * @throws DatabaseError, or what `fn` threw.
   */
  async transaction<T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.retrying(options.retries, () => this.once(options, fn));
  }

  /** The same for control tables: TypeORM's manager and plain SQL in one transaction. */
  async entityTransaction<T>(
    fn: (manager: EntityManager, sql: Sql) => Promise<T>,
    options: Pick<TransactionOptions, 'retries'> = {},
  ): Promise<T> {
    return this.retrying(options.retries, () =>
      this.dataSource.transaction(async (manager) => {
        const client: unknown = await manager.queryRunner?.connect();
        return fn(manager, sqlOn(client as PoolClient));
      }),
    );
  }

  private async retrying<T>(retries = 5, work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const mapped = mapDatabaseError(error);
        if (!(mapped instanceof DatabaseError) || mapped.code !== 'conflict' || attempt >= retries) throw mapped;
        this.observer?.retried();
        // Two that met once shall not meet again at the same moment.
        await delay(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  private async once<T>(options: TransactionOptions, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    this.silence?.set(client, options.statementTimeoutMs);
    const { tx, copying } = transactionOn(client);
    let broken: Error | undefined;
    const onBroken = (error: Error) => {
      broken ??= error;
    };
    // A checked-out connection that dies says so by an event, which would end the process if nobody listened.
    client.on('error', onBroken);
    try {
      await client.query(beginStatement(options));
      const result = await fn(tx);
      if (copying()) throw new DatabaseError('failed', 'Postgres: a copy was left before its end', undefined);
      const { command } = await client.query('COMMIT');
      // After a failed statement whose error `fn` swallowed, Postgres answers COMMIT by rolling back.
      if (command !== 'COMMIT') throw new DatabaseError('failed', 'Postgres: the transaction had failed', undefined);
      return result;
    } catch (error) {
      // Behind rows that nobody reads a rollback would wait for ever: only closing the connection ends such a copy.
      if (copying()) onBroken(new Error('a copy was left before its end'));
      // A rollback that fails means a dead connection: Postgres rolls back by itself.
      if (!broken) await client.query('ROLLBACK').catch(onBroken);
      throw error;
    } finally {
      client.off('error', onBroken);
      client.release(broken);
    }
  }
}

function beginStatement(options: TransactionOptions): string {
  const begin = `BEGIN ISOLATION LEVEL ${options.isolation ?? 'read committed'}${options.readOnly ? ' READ ONLY' : ''}`;
  const limits = {
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.idleTimeoutMs,
  };
  const set = Object.entries(limits).flatMap(([name, ms]) =>
    ms === undefined ? [] : [`SET LOCAL ${name} = ${Number(ms)}`],
  );
  return [begin, ...set].join('; ');
}
