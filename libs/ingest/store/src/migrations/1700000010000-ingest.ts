import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Positions, counters and rejections of every recorder. These three are system tables: they belong to the log, not to
 * one organization, so `organization_id` does not lead their keys.
 */
export class Ingest1700000010000 implements MigrationInterface {
  name = 'Ingest1700000010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE ingest_topic (
        topic_id smallint PRIMARY KEY,
        name text NOT NULL UNIQUE
      )`);
    await runner.query(
      `INSERT INTO ingest_topic (topic_id, name) VALUES (1, 'consent.events.v1'), (2, 'consent.commands.v1')`,
    );
    await runner.query(`
      CREATE TABLE ingest_position (
        consumer text NOT NULL,
        topic_id smallint NOT NULL REFERENCES ingest_topic,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        cluster_id text NOT NULL,
        first_offset bigint NOT NULL,
        next_offset bigint NOT NULL CHECK (next_offset >= first_offset),
        fingerprint bytea,
        fingerprint_offset bigint,
        arrived_at timestamptz,
        recorded bigint NOT NULL DEFAULT 0,
        duplicates bigint NOT NULL DEFAULT 0,
        rejected bigint NOT NULL DEFAULT 0,
        suppressed bigint NOT NULL DEFAULT 0,
        control bigint NOT NULL DEFAULT 0,
        status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'stopped')),
        stopped_reason text,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, topic_id, partition, epoch),
        CONSTRAINT every_message_in_one_counter
          CHECK (recorded + duplicates + rejected + suppressed + control = next_offset - first_offset)
      ) WITH (fillfactor = 50)`);
    await runner.query(`
      CREATE TABLE ingest_rejection (
        topic_id smallint NOT NULL REFERENCES ingest_topic,
        epoch integer NOT NULL,
        partition integer NOT NULL,
        log_offset bigint NOT NULL,
        organization_id text,
        message_key bytea,
        message_value bytea,
        message_headers jsonb NOT NULL,
        reasons jsonb NOT NULL,
        arrived_at timestamptz NOT NULL,
        published_at timestamptz,
        PRIMARY KEY (topic_id, epoch, partition, log_offset)
      )`);
    await runner.query(
      `CREATE INDEX ingest_rejection_unpublished ON ingest_rejection (arrived_at) WHERE published_at IS NULL`,
    );
    await runner.query(
      `GRANT SELECT ON ingest_topic TO delivery_ingest, delivery_control, delivery_scheduler, delivery_exporter`,
    );
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON ingest_position, ingest_rejection TO delivery_ingest`);
    await runner.query(`GRANT SELECT ON ingest_position TO delivery_control, delivery_scheduler, delivery_exporter`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ingest_rejection, ingest_position, ingest_topic`);
  }
}
