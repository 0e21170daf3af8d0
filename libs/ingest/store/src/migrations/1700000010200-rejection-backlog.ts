import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The scheduler tells how many rejections were not copied yet, and since when; of what they hold it sees nothing. */
export class RejectionBacklog1700000010200 implements MigrationInterface {
  name = 'RejectionBacklog1700000010200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`GRANT SELECT (arrived_at, published_at) ON ingest_rejection TO delivery_scheduler`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`REVOKE SELECT (arrived_at, published_at) ON ingest_rejection FROM delivery_scheduler`);
  }
}
