import { createHash, randomBytes } from 'node:crypto';
import { loadConfig } from '@delivery/platform/config';
import {
  Database,
  migrations as platformMigrations,
  PostgresConfig,
  runMigrations,
  type MigrationClass,
} from '@delivery/platform/postgres';
import type { QueryRunner } from 'typeorm';
import { stackEnvironment } from './stack-environment';

export interface TestDatabase {
  config: PostgresConfig;
  database: Database;
  /** Closes and drops it; with `KEEP_TEST_DATABASES=true` it stays for a look, until the stack is reset. */
  close(): Promise<void>;
}

const lockKey = 7_270_116_002n;

/**
 * A database of its own for a test file, cloned from a template that holds the given migrations. The template is made
 * once per set of migrations, whichever of the parallel test processes comes first.
 */
export async function testDatabase(options: { migrations: readonly MigrationClass[] }): Promise<TestDatabase> {
  const admin = loadConfig(PostgresConfig, stackEnvironment());
  const template = `test_template_${await fingerprintOf(options.migrations)}`;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const server = await openServer(admin);
  try {
    const lock = await server.pool.connect();
    await lock.query('SELECT pg_advisory_lock($1)', [lockKey.toString()]);
    try {
      await ensureTemplate(server, admin, template, options.migrations);
      await server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    } finally {
      lock.release(true);
    }
  } finally {
    await server.close();
  }
  const config = withDatabase(admin, name);
  const database = await new Database(config, { applicationName: 'test' }).open();
  return { config, database, close: () => drop(admin, database, name) };
}

/** @throws with the command to run when nothing answers: a stack that was killed leaves its address behind. */
async function openServer(admin: PostgresConfig): Promise<Database> {
  try {
    return await new Database(admin, { applicationName: 'test' }).open();
  } catch (error) {
    throw new Error('Postgres of the local stack does not answer. Start it: npm run stack -- up', { cause: error });
  }
}

/** Told by the statements that migrations run, wherever in the code their text comes from. */
async function fingerprintOf(classes: readonly MigrationClass[]): Promise<string> {
  const hash = createHash('sha256');
  for (const Migration of [...platformMigrations, ...classes]) {
    hash.update(`${Migration.name} ${String(Migration)}\n`);
    const runner = { query: async (text: string) => (hash.update(`${text}\n`), []) };
    await new Migration().up(runner as QueryRunner);
  }
  return hash.digest('hex').slice(0, 12);
}

async function ensureTemplate(
  server: Database,
  admin: PostgresConfig,
  template: string,
  migrations: readonly MigrationClass[],
) {
  const [found] = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
  if (found) return;
  const draft = `${template}_draft`;
  await server.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
  await server.query(`CREATE DATABASE ${draft}`);
  await runMigrations(withDatabase(admin, draft), migrations);
  await server.query(`ALTER DATABASE ${draft} RENAME TO ${template}`);
}

function withDatabase(config: PostgresConfig, name: string): PostgresConfig {
  const url = new URL(config.url);
  url.pathname = `/${name}`;
  return Object.assign(new PostgresConfig(), config, { url: url.href });
}

async function drop(admin: PostgresConfig, database: Database, name: string): Promise<void> {
  await database.close();
  if (process.env['KEEP_TEST_DATABASES'] === 'true') return;
  const server = await openServer(admin);
  await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await server.close();
}
