import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds events that wait for approval by the customer's own id of their user, who may have no row in `consent_user` yet.
 * Confirmed events, nearly all, are not in the index and cost it nothing.
 */
export class PendingEvents1700000020100 implements MigrationInterface {
  name = 'PendingEvents1700000020100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX consent_event_revision_pending ON consent_event_revision
        (organization_id, ((event_document::jsonb #>> '{user,organization_user_id}')))
        WHERE status = 'pending_approval'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX consent_event_revision_pending`);
  }
}
