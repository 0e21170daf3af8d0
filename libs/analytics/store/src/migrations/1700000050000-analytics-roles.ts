import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRoles } from '@delivery/platform/postgres';

/** What the aggregator and the download gateway work as. */
export class AnalyticsRoles1700000050000 implements MigrationInterface {
  name = 'AnalyticsRoles1700000050000';

  async up(runner: QueryRunner): Promise<void> {
    await createRoles((sql) => runner.query(sql), ['delivery_aggregator', 'delivery_gateway']);
    await runner.query('GRANT SELECT ON schema_migration TO delivery_aggregator, delivery_gateway');
  }

  /** Other databases of the server may use the roles: they stay. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE SELECT ON schema_migration FROM delivery_aggregator, delivery_gateway');
  }
}
