import type { MigrationInterface } from 'typeorm';
import { Database } from './database';
import { DatabaseError, mapDatabaseError } from './errors';
import { Roles1700000000000 } from './migrations/1700000000000-roles';
import { MigrationRecord1700000000100 } from './migrations/1700000000100-migration-record';
import type { PostgresConfig } from './postgres.config';

export type MigrationClass = new () => MigrationInterface;

/** Any constant will do; all versions of the platform must use the same one. */
const lockKey = 7_270_116_001n;

/** Migrations of this library itself; they come before every store's. */
export const migrations: readonly MigrationClass[] = [Roles1700000000000, MigrationRecord1700000000100];

/**
 * Applies what is missing, each migration in its own transaction, under an advisory lock: interrupted anywhere, the next
 * call continues; called twice at once, the second waits and finds nothing to do.
 * @returns the names applied now.
 */
export async function runMigrations(
  config: PostgresConfig,
  classes: readonly MigrationClass[],
  progress: (line: string) => void = () => undefined,
): Promise<string[]> {
  // Migrations are the owner's work and may take long; one connection holds the lock, another works.
  const unbounded = { ...config, role: '', statementTimeoutMs: 0, idleInTransactionTimeoutMs: 0, poolSize: 2 };
  const database = await new Database(unbounded, { applicationName: 'migrate' }).open();
  try {
    return await withMigrationLock(database, progress, () => applyMissing(database, classes, progress));
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    await database.close();
  }
}

async function withMigrationLock<T>(
  database: Database,
  progress: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const client = await database.pool.connect();
  let lost: Error | undefined;
  client.on('error', (error) => (lost = error));
  try {
    const key = lockKey.toString();
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [key]);
    if (!rows[0]?.taken) {
      progress('waiting for another migration of this database to end');
      await client.query('SELECT pg_advisory_lock($1)', [key]);
    }
    const result = await work();
    if (lost) throw lost;
    return result;
  } finally {
    client.release(true); // ends the session and the lock with it
  }
}

async function applyMissing(database: Database, classes: readonly MigrationClass[], progress: (line: string) => void) {
  await database.query(
    `CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const applied = new Set(
    (await database.query<{ name: string }>('SELECT name FROM schema_migration')).map((r) => r.name),
  );
  const missing = inOrder([...migrations, ...classes]).filter((migration) => !applied.has(nameOf(migration)));
  for (const migration of missing) {
    progress(`applying ${nameOf(migration)}`);
    const runner = database.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      await migration.up(runner);
      await runner.query('INSERT INTO schema_migration (name) VALUES ($1)', [nameOf(migration)]);
      await runner.commitTransaction();
    } catch (error) {
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
  return missing.map(nameOf);
}

/** Names of migrations that the database does not have yet. */
export async function pendingMigrations(database: Database, classes: readonly MigrationClass[]): Promise<string[]> {
  const [table] = await database.query<{ found: boolean }>(
    `SELECT to_regclass('schema_migration') IS NOT NULL AS found`,
  );
  const rows = table?.found ? await database.query<{ name: string }>('SELECT name FROM schema_migration') : [];
  const applied = new Set(rows.map((row) => row.name));
  return inOrder([...migrations, ...classes])
    .map(nameOf)
    .filter((name) => !applied.has(name));
}

/**
 * What a service asks of its database before it starts: half of it would work, and the rest fail far from the reason.
 * @throws DatabaseError `not_migrated`, naming the step to run
 */
export async function requireMigrations(database: Database, classes: readonly MigrationClass[]): Promise<void> {
  const [first, ...others] = await pendingMigrations(database, classes).catch((error: unknown) => {
    // Nobody has let this role see the record yet: one of the first migrations does.
    if (error instanceof DatabaseError && error.code === 'permission_denied')
      return [MigrationRecord1700000000100.name];
    throw error;
  });
  if (first === undefined) return;
  const what = `${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
  throw new DatabaseError(
    'not_migrated',
    `The database lacks migrations of this version (${what}). Run the migrate step first: npm run migrate, or ` +
      'migrate.cjs in the image.',
    undefined,
  );
}

/** TypeORM's rule: the thirteen digits that end a migration's name order it. */
function inOrder(classes: readonly MigrationClass[]): MigrationInterface[] {
  const all = classes.map((Migration) => new Migration());
  checkNames(all);
  return all.sort((a, b) => timestampOf(a) - timestampOf(b));
}

function timestampOf(migration: MigrationInterface): number {
  return Number(nameOf(migration).slice(-13));
}

/** @throws Error for names that would order or record migrations wrongly: a mistake of whoever wrote them. */
function checkNames(migrations: readonly MigrationInterface[]): void {
  const seen = new Set<string>();
  for (const name of migrations.map(nameOf)) {
    if (!/\d{13}$/.test(name)) throw new Error(`The name of migration ${name} must end in thirteen digits.`);
    if (seen.has(name)) throw new Error(`Two migrations are called ${name}.`);
    seen.add(name);
  }
}

function nameOf(migration: MigrationInterface): string {
  return migration.name ?? migration.constructor.name;
}
