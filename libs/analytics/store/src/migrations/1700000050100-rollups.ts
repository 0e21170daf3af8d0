import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a row of the hourly metrics is counted by; `''` where it is not known. */
const DIMENSIONS = `
  settings_id text NOT NULL,
  domain text NOT NULL,
  platform text NOT NULL,
  device_type text NOT NULL,
  country text NOT NULL,
  regulation text NOT NULL`;
const DIMENSION_NAMES = 'settings_id, domain, platform, device_type, country, regulation';

/**
 * Interactions and consents, counted. Counts carry the partition that they were read from: recorders of different
 * partitions never write one row, and the transaction that moves a partition's position writes all that it read.
 */
export class Rollups1700000050100 implements MigrationInterface {
  name = 'Rollups1700000050100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `INSERT INTO ingest_topic (topic_id, name) VALUES (3, 'consent.interactions.v1'), (4, 'analytics.hours')`,
    );
    await this.createHours(runner);
    await this.createOpen(runner);
    await this.createClosed(runner);
    await this.grant(runner);
  }

  /**
   * Hours before `analytics_open_hour` are counted into no more, and wait to be closed; up to where they are closed says
   * `ingest_position` of `analytics.hours`. Whoever counts holds a SHARE lock on the table, so that its one row is not
   * changed meanwhile: of locks on a table nobody waits for ever, as he may of shared locks on a row.
   */
  private async createHours(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE analytics_open_hour (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        hour integer NOT NULL
      )`);
  }

  /** What is still counted into. */
  private async createOpen(runner: QueryRunner): Promise<void> {
    // No index on the time: old claims are found by reading the table, page by page, which costs recording nothing.
    await runner.query(`
      CREATE TABLE interaction_claim (
        organization_id text NOT NULL,
        claim uuid NOT NULL,
        arrived_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, claim)
      )`);
    await runner.query(`
      CREATE TABLE interaction_hourly (
        organization_id text NOT NULL,
        hour integer NOT NULL,
        partition integer NOT NULL,${DIMENSIONS},
        pageviews bigint NOT NULL,
        sessions bigint NOT NULL,
        notice_displays bigint NOT NULL,
        ui_interactions bigint NOT NULL,
        PRIMARY KEY (organization_id, hour, partition, ${DIMENSION_NAMES})
      ) WITH (fillfactor = 70)`);
    await runner.query(`
      CREATE TABLE interaction_session (
        organization_id text NOT NULL,
        hour integer NOT NULL,
        session uuid NOT NULL,
        PRIMARY KEY (organization_id, hour, session)
      )`);
    // services: {template_id: [name, action, action type, consent, arrival in milliseconds since 1970, offset]}
    await runner.query(`
      CREATE TABLE interaction_decision (
        organization_id text NOT NULL,
        day date NOT NULL,
        settings_id text NOT NULL,
        device uuid NOT NULL,
        partition integer NOT NULL,
        services jsonb NOT NULL,
        PRIMARY KEY (organization_id, day, settings_id, device, partition)
      ) WITH (fillfactor = 80)`);
    await runner.query(`
      CREATE TABLE consent_hourly (
        organization_id text NOT NULL,
        hour integer NOT NULL,
        topic_id smallint NOT NULL,
        partition integer NOT NULL,${DIMENSIONS},
        positive bigint NOT NULL,
        negative bigint NOT NULL,
        partial bigint NOT NULL,
        PRIMARY KEY (organization_id, hour, topic_id, partition, ${DIMENSION_NAMES})
      ) WITH (fillfactor = 70)`);
    // While all that was ever recorded is counted for the first time, many hours are open.
    await runner.query(`CREATE INDEX consent_hourly_hour ON consent_hourly (hour)`);
    // Up to where recorded consents are in consent_hourly, and the month of the last row: what follows in this epoch lies
    // in it or in later ones. A system table: it belongs to the log, not to an organization.
    await runner.query(`
      CREATE TABLE consent_rollup_position (
        topic_id smallint NOT NULL REFERENCES ingest_topic,
        partition integer NOT NULL,
        epoch integer NOT NULL,
        next_offset bigint NOT NULL,
        month date NOT NULL,
        PRIMARY KEY (topic_id, partition)
      ) WITH (fillfactor = 50)`);
  }

  /** What is final once its hour, or the last hour of its day, is closed. */
  private async createClosed(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE hourly_metric (
        organization_id text NOT NULL,
        hour integer NOT NULL,${DIMENSIONS},
        pageviews bigint NOT NULL,
        sessions bigint NOT NULL,
        notice_displays bigint NOT NULL,
        consents_positive bigint NOT NULL,
        consents_negative bigint NOT NULL,
        consents_partial bigint NOT NULL,
        ui_interactions bigint NOT NULL,
        PRIMARY KEY (organization_id, hour, ${DIMENSION_NAMES})
      )`);
    await runner.query(`
      CREATE TABLE interaction_daily (
        organization_id text NOT NULL,
        day date NOT NULL,
        partition integer NOT NULL,
        settings_id text NOT NULL,
        event_type text NOT NULL,
        platform text NOT NULL,
        browser text NOT NULL,
        country text NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (organization_id, day, partition, settings_id, event_type, platform, browser, country)
      ) WITH (fillfactor = 70)`);
    await runner.query(`
      CREATE TABLE granular_daily (
        organization_id text NOT NULL,
        day date NOT NULL,
        settings_id text NOT NULL,
        template_id text NOT NULL,
        service text NOT NULL,
        action smallint NOT NULL,
        action_type text NOT NULL,
        consent smallint NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (organization_id, day, settings_id, template_id, service, action, action_type, consent)
      )`);
  }

  private async grant(runner: QueryRunner): Promise<void> {
    await runner.query(`
      GRANT SELECT, INSERT, UPDATE, DELETE ON interaction_claim, interaction_hourly, interaction_session,
        interaction_decision, consent_hourly, consent_rollup_position, hourly_metric, interaction_daily, granular_daily
      TO delivery_aggregator`);
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON analytics_open_hour TO delivery_aggregator`);
    await runner.query(
      `GRANT SELECT, INSERT, UPDATE ON ingest_position, ingest_rejection, ingest_rewind TO delivery_aggregator`,
    );
    await runner.query(`
      GRANT SELECT ON ingest_topic, ingest_border, consent_event_revision TO delivery_aggregator`);
    await runner.query(`GRANT SELECT ON hourly_metric TO delivery_exporter`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE analytics_open_hour, interaction_claim, interaction_hourly, interaction_session, interaction_decision,
        consent_hourly, consent_rollup_position, hourly_metric, interaction_daily, granular_daily`);
    await runner.query(`DELETE FROM ingest_position WHERE topic_id IN (3, 4)`);
    await runner.query(`DELETE FROM ingest_topic WHERE topic_id IN (3, 4)`);
  }
}
