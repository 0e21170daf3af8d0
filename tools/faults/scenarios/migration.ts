import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type MigrationClass, runMigrations } from '@delivery/platform/postgres';
import { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { allMigrations } from '../../migrate/migrate-all';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

/** Migrations that are killed, and services of one version on the database of the next. */
export const migration: Scenario = {
  name: 'migration',
  row: 'F11',
  does: 'kills migrations until one completes, and migrates the database under services that do not know it',
  shows: { exports: 4, accounts: 4, done: ['migrations killed', 'migrations under running services'] },
  async run(stage) {
    const undisturbed = await migrated(stage, false);
    const databases = stage.long ? 40 : 3;
    for (let n = 0; n < databases; n += 1) {
      const killed = await migrated(stage, true);
      const differing = [
        ...undisturbed.filter((line) => !killed.includes(line)),
        ...killed.filter((line) => !undisturbed.includes(line)),
      ];
      stage.expect(isDeepStrictEqual(killed, undisturbed), `after kills the schema differs: ${differing.join('; ')}`);
    }
    await besideEachOther(stage);
  },
};

/** Migrates an empty database by the command, killed again and again or not. @returns its catalog */
async function migrated(stage: Stage, killing: boolean): Promise<string[]> {
  const name = `migrated_${randomBytes(6).toString('hex')}`;
  const url = new URL(stage.world.test.config.url);
  const server = await connected(url);
  await server.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  try {
    while ((await migrate(stage, url, killing)) === 'killed') stage.did('migrations killed');
    const database = await connected(url);
    const catalog = await catalogOf(database);
    await database.end();
    stage.did('databases migrated');
    stage.expect(catalog.length > 100, `a catalog of ${catalog.length} lines is no schema`);
    return catalog;
  } finally {
    await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await server.end();
  }
}

/** One `npm run migrate`, killed at any moment between its connecting and a few migrations later. */
async function migrate(stage: Stage, database: URL, killing: boolean): Promise<'killed' | 'completed'> {
  const child = spawn(process.execPath, ['tools/run.cjs', 'tools/migrate/main.ts'], {
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: database.href },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let told = '';
  let left = killing ? 1 + Math.floor(stage.random() * 5) : Infinity;
  child.stderr.on('data', (data: Buffer) => (told += String(data)));
  child.stdout.on('data', (data: Buffer) => {
    left -= String(data).split('applying ').length - 1;
    if (left <= 0 && left !== -Infinity) {
      left = Infinity;
      setTimeout(() => child.kill('SIGKILL'), stage.random() * 12);
    }
  });
  const code = await ended;
  if (code === 0) return 'completed';
  if (child.signalCode !== 'SIGKILL') throw new Error(`a migration ended with exit code ${code}: ${told}`);
  return 'killed';
}

async function connected(url: URL): Promise<Client> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  return client;
}

/** All that migrations make, a line each: what it is, how it is defined, and who may use it. */
async function catalogOf(database: Client): Promise<string[]> {
  const { rows } = await database.query<{ line: string }>(`
    WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$')
    SELECT line FROM (
      SELECT 'schema ' || nspname || ' ' || coalesce(nspacl::text, '') FROM pg_namespace WHERE oid IN (TABLE own)
      UNION ALL SELECT format('%s %s %s %s %s', relkind, oid::regclass, reloptions, relacl, relpersistence)
        FROM pg_class WHERE relnamespace IN (TABLE own) AND relkind <> 't'
      UNION ALL SELECT format('column %s %s %s %s %s %s %s %s', attrelid::regclass, attnum, attname,
          format_type(atttypid, atttypmod), attnotnull, attstorage, attacl, pg_get_expr(adbin, adrelid))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace IN (TABLE own) AND relkind <> 't' AND attnum > 0
      UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace IN (TABLE own)
      UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace IN (TABLE own)
      UNION ALL SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '')
        FROM pg_proc WHERE pronamespace IN (TABLE own) AND prokind IN ('f', 'p')
      UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace IN (TABLE own) AND relkind IN ('v', 'm')
      UNION ALL SELECT format('default rights %s %s', defaclobjtype, defaclacl) FROM pg_default_acl
      UNION ALL SELECT 'migration ' || name FROM schema_migration
    ) AS catalog (line) ORDER BY line COLLATE "C"`);
  return rows.map(({ line }) => line);
}

/**
 * The next version's migrations add to every table while services of this version run on it; they go on, and are started
 * on it again.
 */
async function besideEachOther(stage: Stage): Promise<void> {
  const apps = await stage.startAll();
  const tenants = [await stage.tenant('first', apps), await stage.tenant('second', apps)];
  stage.load(tenants, { mayBeGone: true });
  const versions = stage.long ? 20 : 2;
  for (let version = 1; version <= versions; version += 1) {
    await stage.moment(1500);
    const { config } = stage.world.test;
    const apply = () => runMigrations(config, [...allMigrations, additionsOf(version)]);
    // It locks every table in one transaction: Postgres may end it for a deadlock with a service, and it is called again.
    let applied = await apply().catch(told);
    for (let tries = 1; !Array.isArray(applied); tries += 1) {
      if (tries === 20) throw new Error(`a migration met a deadlock ${tries} times, the last: ${applied}`);
      stage.did('deadlocks of migrations');
      applied = await apply().catch(told);
    }
    stage.expect(applied.length === 1, `${applied.length} migrations were applied, not one`);
    stage.did('migrations under running services');
    await stage.moment(1500);
    await stage.account(`migration to version ${version} ahead`);
  }
  await stage.quiet();
  await stage.world.recorded();
  stage.load(tenants, { mayBeGone: true, seed: stage.report.seed + 1_000_003 });
  for (const app of stage.shuffled(Object.values(apps))) {
    await app.stop();
    await app.start();
    stage.did('services started on the next version');
  }
  await stage.account('all services were started again');
  await stage.conclude(tenants);
}

/** @throws what is no deadlock */
function told(error: unknown): string {
  if (error instanceof Error && error.message.includes('deadlock')) return error.message;
  throw error;
}

/** Columns with and without a default in every table, a new table, and an index: all that an older version may meet. */
function additionsOf(version: number): MigrationClass {
  const timestamp = 2_000_000_000_000 + version;
  const added = `added_${version}`;
  return class {
    readonly name = `Additions${timestamp}`;

    async up(runner: QueryRunner): Promise<void> {
      const tables: { name: string }[] = await runner.query(
        `SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
           AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY oid`,
      );
      for (const { name } of tables)
        await runner.query(
          `ALTER TABLE ${name} ADD COLUMN ${added} text, ADD COLUMN ${added}_number int DEFAULT 0 NOT NULL`,
        );
      await runner.query(`CREATE TABLE ${added} (id text PRIMARY KEY)`);
      await runner.query(`CREATE INDEX ON export_run (${added})`);
    }

    async down(): Promise<void> {}
  };
}
