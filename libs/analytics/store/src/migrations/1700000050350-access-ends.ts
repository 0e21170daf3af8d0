import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Downloads are written down before their first byte and completed at their end; the gateway reads what it needs only. */
export class AccessEnds1700000050350 implements MigrationInterface {
  name = 'AccessEnds1700000050350';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE download_access ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0)`);
    await runner.query(`GRANT UPDATE (bytes, times) ON download_access TO delivery_gateway`);
    await runner.query(`REVOKE SELECT ON api_key, organization FROM delivery_gateway`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`GRANT SELECT ON api_key, organization TO delivery_gateway`);
    await runner.query(`REVOKE UPDATE (bytes, times) ON download_access FROM delivery_gateway`);
    await runner.query(`ALTER TABLE download_access DROP COLUMN times`);
  }
}
