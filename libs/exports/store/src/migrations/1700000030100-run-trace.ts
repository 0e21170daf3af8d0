import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where a run was planned, as `traceparent` of W3C Trace Context: its attempts, hours later, go on with that trace. */
export class RunTrace1700000030100 implements MigrationInterface {
  name = 'RunTrace1700000030100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE export_run ADD COLUMN traceparent text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE export_run DROP COLUMN traceparent`);
  }
}
