import { loadConfig } from '@delivery/platform/config';
import { Database, PostgresConfig, runMigrations, type MigrationClass } from '@delivery/platform/postgres';
import { createHash, randomBytes } from 'node:crypto';
import { stackEnvironment } from './stack-environment';

export interface TestDatabase {
  config: PostgresConfig;
  database: Database;
  /** Closes and drops it. A test that failed before leaves it behind for a look; the next `reset` of the stack removes it. */
  close(): Promise<void>;
}

const lockKey = 7_270_116_002n;

/**
 * A database of its own for a test file, cloned from a template that holds the given migrations. The template is made
 * once per set of migrations, whichever of the parallel test processes comes first.
 */
export async function testDatabase(options: { migrations: readonly MigrationClass[] }): Promise<TestDatabase> {
  const admin = loadConfig(PostgresConfig, stackEnvironment());
  const source = options.migrations.map((migration) => `${migration.name} ${String(migration)}`).join('\n');
  const template = `test_template_${createHash('sha256').update(source).digest('hex').slice(0, 12)}`;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const server = await new Database(admin, { applicationName: 'test' }).open();
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
  const server = await new Database(admin, { applicationName: 'test' }).open();
  await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await server.close();
}
