import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Consent events: the head (one row per event id, for ever), its append-only revisions (one row per position), and the
 * current state of each user per regulation, which points to the revision that holds the latest document.
 */
export class Consent1700000020000 implements MigrationInterface {
  name = 'Consent1700000020000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE consent_event_head (
        organization_id text NOT NULL,
        event_id text NOT NULL,
        user_id text NOT NULL,
        regulation text NOT NULL,
        status text NOT NULL CHECK (status IN ('confirmed', 'pending_approval', 'removed')),
        version integer NOT NULL,
        month date NOT NULL,
        topic_id smallint NOT NULL,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        log_offset bigint NOT NULL,
        effective_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, event_id)
      )`);
    await runner.query(`CREATE INDEX consent_event_head_user ON consent_event_head (organization_id, user_id)`);
    await runner.query(`
      CREATE TABLE consent_event_revision (
        organization_id text NOT NULL,
        topic_id smallint NOT NULL,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        log_offset bigint NOT NULL,
        month date NOT NULL,
        event_id text NOT NULL,
        user_id text NOT NULL,
        regulation text NOT NULL,
        status text NOT NULL,
        event_version integer NOT NULL,
        user_version integer,
        guest boolean NOT NULL,
        arrived_at timestamptz NOT NULL,
        effective_at timestamptz NOT NULL,
        event_document text NOT NULL,
        user_document text,
        PRIMARY KEY (organization_id, topic_id, partition, epoch, log_offset, month)
      ) PARTITION BY RANGE (month)`);
    await runner.query(`
      CREATE TABLE consent_event_revision_default PARTITION OF consent_event_revision DEFAULT
        WITH (toast_tuple_target = 8160)`);
    await runner.query(`
      CREATE TABLE consent_user (
        organization_id text NOT NULL,
        user_id text NOT NULL,
        regulation text NOT NULL,
        organization_user_id text,
        version integer NOT NULL,
        guest boolean NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        latest_effective_at timestamptz NOT NULL,
        latest_topic_id smallint NOT NULL,
        latest_partition integer NOT NULL,
        latest_epoch integer NOT NULL,
        latest_offset bigint NOT NULL,
        document_month date NOT NULL,
        document_topic_id smallint NOT NULL,
        document_partition integer NOT NULL,
        document_epoch integer NOT NULL,
        document_offset bigint NOT NULL,
        base_document text,
        base_effective_at timestamptz,
        PRIMARY KEY (organization_id, user_id, regulation)
      ) WITH (fillfactor = 80)`);
    await runner.query(`
      CREATE INDEX consent_user_organization_user ON consent_user (organization_id, organization_user_id)
        WHERE organization_user_id IS NOT NULL`);
    await this.addPartitionFunction(runner);
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON consent_event_head, consent_user TO delivery_ingest`);
    await runner.query(`GRANT SELECT, INSERT ON consent_event_revision TO delivery_ingest`);
    await runner.query(`GRANT SELECT ON consent_event_revision, consent_user TO delivery_exporter`);
  }

  /** Creating a partition needs the table's owner: the scheduler may call this function and nothing else. */
  private async addPartitionFunction(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION consent_ensure_revision_partitions(from_month date, months integer) RETURNS integer
      LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
      DECLARE
        first date;
        made integer := 0;
      BEGIN
        FOR i IN 0 .. months - 1 LOOP
          first := date_trunc('month', from_month)::date + make_interval(months => i);
          IF to_regclass('consent_event_revision_' || to_char(first, 'YYYY_MM')) IS NULL THEN
            EXECUTE format(
              'CREATE TABLE %I PARTITION OF consent_event_revision FOR VALUES FROM (%L) TO (%L) WITH (toast_tuple_target = 8160)',
              'consent_event_revision_' || to_char(first, 'YYYY_MM'), first, (first + interval '1 month')::date);
            made := made + 1;
          END IF;
        END LOOP;
        RETURN made;
      END $$`);
    await runner.query(`REVOKE EXECUTE ON FUNCTION consent_ensure_revision_partitions(date, integer) FROM PUBLIC`);
    await runner.query(
      `GRANT EXECUTE ON FUNCTION consent_ensure_revision_partitions(date, integer) TO delivery_scheduler`,
    );
    await runner.query(`SELECT consent_ensure_revision_partitions((now() AT TIME ZONE 'UTC')::date, 3)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION consent_ensure_revision_partitions(date, integer)`);
    await runner.query(`DROP TABLE consent_user, consent_event_revision, consent_event_head`);
  }
}
