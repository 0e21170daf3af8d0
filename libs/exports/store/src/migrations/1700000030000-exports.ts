import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Schedules and runs, and the one clock they are judged by. */
export class Exports1700000030000 implements MigrationInterface {
  name = 'Exports1700000030000';

  async up(runner: QueryRunner): Promise<void> {
    // Only Postgres's clock counts. An operator may move it for a rehearsal (ALTER DATABASE ... SET
    // delivery.clock_offset = '24 hours'); no code of the platform ever sets it. Whole milliseconds, since that is what
    // a JavaScript Date holds: a time that was read and written back must be the same time.
    await runner.query(`
      CREATE FUNCTION delivery_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT date_trunc('milliseconds', statement_timestamp())
          + coalesce(nullif(current_setting('delivery.clock_offset', true), ''), '0')::interval
      $$`);
    await this.createSchedule(runner);
    await this.createRun(runner);
    await this.grant(runner);
  }

  private async createSchedule(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE export_schedule (
        organization_id text NOT NULL,
        integration_id text NOT NULL,
        destination_kind text NOT NULL CHECK (destination_kind IN ('s3', 'gcs', 'file')),
        content text NOT NULL,
        spec jsonb NOT NULL,
        frequency_days integer NOT NULL CHECK (frequency_days > 0),
        anchor_at timestamptz NOT NULL,
        next_due_at timestamptz,
        enabled boolean NOT NULL DEFAULT true,
        planned_to jsonb NOT NULL DEFAULT '{}',
        planned_to_at timestamptz,
        planned_runs integer NOT NULL DEFAULT 0,
        waiting_for text,
        waiting_since timestamptz,
        last_run_id text,
        last_manifest_sha256 text,
        paused_at timestamptz,
        deleted_at timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, integration_id),
        CHECK (next_due_at IS NULL OR (enabled AND deleted_at IS NULL))
      )`);
    await runner.query(
      `CREATE INDEX export_schedule_due ON export_schedule (next_due_at) WHERE next_due_at IS NOT NULL`,
    );
  }

  private async createRun(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE export_run (
        organization_id text NOT NULL,
        id text NOT NULL,
        integration_id text NOT NULL,
        sequence integer NOT NULL,
        destination_kind text NOT NULL,
        content text NOT NULL,
        spec jsonb NOT NULL,
        trigger text NOT NULL CHECK (trigger IN ('schedule', 'manual')),
        due_at timestamptz NOT NULL,
        due_times timestamptz[] NOT NULL,
        date text NOT NULL,
        window_from jsonb NOT NULL,
        window_to jsonb NOT NULL,
        window_from_at timestamptz,
        window_to_at timestamptz NOT NULL,
        complete_until timestamptz,
        status text NOT NULL DEFAULT 'pending'
          CHECK (status IN ('pending', 'running', 'retrying', 'completed', 'failed', 'cancelled')),
        attempt integer NOT NULL DEFAULT 0,
        tries integer NOT NULL DEFAULT 0,
        lease_owner text,
        lease_until timestamptz,
        retry_at timestamptz,
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        progress jsonb NOT NULL DEFAULT '{}',
        files_opened integer NOT NULL DEFAULT 0,
        uploads jsonb NOT NULL DEFAULT '[]',
        result_code text,
        result_message text,
        manifest_key text,
        manifest_sha256 text,
        previous_manifest_sha256 text,
        nudged_at timestamptz,
        changes integer NOT NULL DEFAULT 1,
        announced_changes integer NOT NULL DEFAULT 0,
        PRIMARY KEY (organization_id, id),
        UNIQUE (organization_id, integration_id, sequence),
        FOREIGN KEY (organization_id, integration_id) REFERENCES export_schedule,
        CHECK ((status = 'running') = (lease_until IS NOT NULL)),
        CHECK ((status = 'retrying') = (retry_at IS NOT NULL))
      ) WITH (fillfactor = 70)`);
    // What makes it impossible, and not only unlikely, that two runs of one integration execute at once.
    await runner.query(`
      CREATE UNIQUE INDEX export_run_executing ON export_run (organization_id, integration_id) WHERE status = 'running'`);
    await runner.query(`
      CREATE INDEX export_run_waiting ON export_run (destination_kind, created_at, id)
        WHERE status IN ('pending', 'retrying')`);
    await runner.query(`
      CREATE INDEX export_run_undelivered ON export_run (organization_id, integration_id, sequence)
        WHERE status IN ('pending', 'running', 'retrying', 'failed', 'cancelled')`);
    await runner.query(
      `CREATE INDEX export_run_unannounced ON export_run (created_at) WHERE announced_changes < changes`,
    );
  }

  private async grant(runner: QueryRunner): Promise<void> {
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON export_schedule, export_run TO delivery_control`);
    await runner.query(`GRANT SELECT, UPDATE ON export_schedule TO delivery_scheduler`);
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON export_run TO delivery_scheduler`);
    await runner.query(`GRANT SELECT ON export_schedule TO delivery_exporter`);
    await runner.query(`GRANT UPDATE (last_run_id, last_manifest_sha256) ON export_schedule TO delivery_exporter`);
    await runner.query(`GRANT SELECT ON export_run TO delivery_exporter`);
    await runner.query(`
      GRANT UPDATE (status, attempt, tries, lease_owner, lease_until, retry_at, started_at, finished_at, progress,
        files_opened, uploads, result_code, result_message, manifest_key, manifest_sha256, previous_manifest_sha256, changes)
      ON export_run TO delivery_exporter`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE export_run, export_schedule`);
    await runner.query(`DROP FUNCTION delivery_now()`);
  }
}
