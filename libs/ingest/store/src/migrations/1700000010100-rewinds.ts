import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What remembers that this database is older than what was recorded once. System tables, as positions are. */
export class Rewinds1700000010100 implements MigrationInterface {
  name = 'Rewinds1700000010100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE ingest_rewind (
        consumer text NOT NULL,
        topic_id smallint NOT NULL REFERENCES ingest_topic,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        recorded_to bigint NOT NULL,
        reconciled_to bigint,
        noticed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, topic_id, partition, epoch)
      )`);
    await runner.query(`
      CREATE TABLE ingest_border (
        consumer text NOT NULL,
        border integer NOT NULL,
        topic_id smallint NOT NULL REFERENCES ingest_topic,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (consumer, border, topic_id, partition)
      )`);
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON ingest_rewind TO delivery_ingest`);
    await runner.query(`GRANT SELECT ON ingest_border TO delivery_ingest`);
    await runner.query(`GRANT SELECT ON ingest_rewind TO delivery_control, delivery_scheduler, delivery_exporter`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ingest_border, ingest_rewind`);
  }
}
