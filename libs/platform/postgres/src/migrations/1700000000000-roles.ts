import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the first apps work as. Each store's migration grants these roles what they need on its own tables. */
export const databaseRoles = [
  'delivery_ingest',
  'delivery_control',
  'delivery_scheduler',
  'delivery_exporter',
] as const;

/**
 * Makes roles for apps. Roles belong to the whole server, so another database's migration may make them at the same
 * moment. The login that migrates becomes a member of each, so that one login serves a small installation. Where the login
 * may not create roles an administrator makes them beforehand; then nothing is left to do here.
 */
export async function createRoles(query: (sql: string) => Promise<unknown>, roles: readonly string[]): Promise<void> {
  for (const role of roles) {
    await query(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
          CREATE ROLE ${role} NOLOGIN;
        END IF;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END $$`);
    // XX000 is "tuple concurrently updated": another database's migration granted the same at the same moment.
    await query(`
      DO $$ BEGIN
        IF NOT pg_has_role(session_user, '${role}', 'MEMBER') THEN
          EXECUTE format('GRANT ${role} TO %I', session_user);
        END IF;
      EXCEPTION WHEN unique_violation OR SQLSTATE 'XX000' THEN NULL;
      END $$`);
    await query(`GRANT USAGE ON SCHEMA public TO ${role}`);
  }
}

export class Roles1700000000000 implements MigrationInterface {
  name = 'Roles1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await createRoles((sql) => runner.query(sql), databaseRoles);
  }

  /** Other databases of the server may use the roles: they stay. */
  async down(): Promise<void> {}
}
