import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the apps may work as. Each store's migration grants these roles what they need on its own tables. */
export const databaseRoles = ['delivery_ingest', 'delivery_control', 'delivery_scheduler', 'delivery_exporter'] as const;

/**
 * Roles belong to the whole server, so another database's migration may make them at the same moment. The login that
 * migrates becomes a member of each, so that one login serves a small installation.
 */
export class Roles1700000000000 implements MigrationInterface {
  name = 'Roles1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const role of databaseRoles) {
      await runner.query(`
        DO $$ BEGIN
          CREATE ROLE ${role} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$`);
      await runner.query(`
        DO $$ BEGIN
          EXECUTE format('GRANT ${role} TO %I', session_user);
        EXCEPTION WHEN unique_violation OR SQLSTATE 'XX000' OR invalid_grant_operation THEN NULL;
        END $$`);
      await runner.query(`GRANT USAGE ON SCHEMA public TO ${role}`);
    }
  }

  /** Other databases of the server may use the roles: they stay. */
  async down(): Promise<void> {}
}
