import type { MigrationInterface, QueryRunner } from 'typeorm';
import { databaseRoles } from './1700000000000-roles';

/** Lets services see at their start which migrations the database has. */
export class MigrationRecord1700000000100 implements MigrationInterface {
  name = 'MigrationRecord1700000000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`GRANT SELECT ON schema_migration TO ${databaseRoles.join(', ')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`REVOKE SELECT ON schema_migration FROM ${databaseRoles.join(', ')}`);
  }
}
