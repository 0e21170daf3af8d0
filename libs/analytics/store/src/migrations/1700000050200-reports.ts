import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may download which reports, the reports themselves, and who downloaded them. */
export class Reports1700000050200 implements MigrationInterface {
  name = 'Reports1700000050200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE analytics_id (
        organization_id text NOT NULL REFERENCES organization,
        id text NOT NULL,
        name text NOT NULL,
        settings_ids text[] NOT NULL,
        frequencies text[] NOT NULL CHECK (frequencies <@ ARRAY['daily', 'weekly', 'monthly']),
        aggregations text[] NOT NULL CHECK (aggregations <@ ARRAY['interaction', 'granular']),
        reports_from date NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, id)
      )`);
    await runner.query(`
      CREATE TABLE analytics_key (
        organization_id text NOT NULL,
        id text NOT NULL,
        analytics_id text NOT NULL,
        name text NOT NULL,
        secret_hash bytea NOT NULL,
        secret_salt bytea NOT NULL,
        frequencies text[] CHECK (frequencies <@ ARRAY['daily', 'weekly', 'monthly']),
        aggregations text[] CHECK (aggregations <@ ARRAY['interaction', 'granular']),
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, id),
        FOREIGN KEY (organization_id, analytics_id) REFERENCES analytics_id ON DELETE CASCADE
      )`);
    // Whoever downloads names the key only: its organization is what the row says.
    await runner.query(`CREATE INDEX analytics_key_id ON analytics_key (id)`);
    await this.createReports(runner);
    await this.grant(runner);
  }

  private async createReports(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE analytics_report (
        organization_id text NOT NULL,
        analytics_id text NOT NULL,
        prefix text NOT NULL,
        aggregation text NOT NULL CHECK (aggregation IN ('interaction', 'granular')),
        frequency text NOT NULL CHECK (frequency IN ('daily', 'weekly', 'monthly')),
        first_day date NOT NULL,
        last_day date NOT NULL,
        settings_ids text[] NOT NULL,
        rows_per_shard integer NOT NULL CHECK (rows_per_shard > 0),
        escape_formulas boolean NOT NULL,
        status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'published', 'removed')),
        attempt integer NOT NULL DEFAULT 0,
        lease_until timestamptz,
        retry_at timestamptz,
        last_error text,
        shards jsonb NOT NULL DEFAULT '[]',
        rows bigint NOT NULL DEFAULT 0,
        bytes bigint NOT NULL DEFAULT 0,
        planned_at timestamptz NOT NULL,
        published_at timestamptz,
        removed_at timestamptz,
        PRIMARY KEY (organization_id, analytics_id, prefix),
        FOREIGN KEY (organization_id, analytics_id) REFERENCES analytics_id,
        CHECK ((status = 'running') = (lease_until IS NOT NULL)),
        CHECK ((status IN ('published', 'removed')) = (published_at IS NOT NULL)),
        CHECK (removed_at IS NULL OR status = 'removed')
      ) WITH (fillfactor = 70)`);
    // Newest first, in which order they are claimed: what is caught up must not make today's late.
    await runner.query(`
      CREATE INDEX analytics_report_open ON analytics_report (last_day DESC, planned_at)
      WHERE status IN ('pending', 'running')`);
    // Which periods of an analytics id are planned already is read from both ends of it.
    await runner.query(`
      CREATE INDEX analytics_report_period
      ON analytics_report (organization_id, analytics_id, frequency, aggregation, last_day)`);
    await runner.query(`
      CREATE INDEX analytics_report_published ON analytics_report (published_at) WHERE status = 'published'`);
    await runner.query(`
      CREATE INDEX analytics_report_removable ON analytics_report (published_at)
      WHERE status = 'removed' AND removed_at IS NULL`);
    await runner.query(`
      CREATE TABLE download_access (
        organization_id text NOT NULL,
        id uuid NOT NULL,
        at timestamptz NOT NULL,
        kind text NOT NULL CHECK (kind IN ('links', 'file')),
        key_id text,
        analytics_id text NOT NULL,
        file text NOT NULL,
        status integer NOT NULL,
        bytes bigint,
        address text,
        user_agent text,
        PRIMARY KEY (organization_id, id)
      )`);
    // Rows come in the order of their times: retention finds the old ones by it.
    await runner.query(`CREATE INDEX download_access_at ON download_access USING brin (at)`);
  }

  private async grant(runner: QueryRunner): Promise<void> {
    await runner.query(`GRANT SELECT ON organization TO delivery_aggregator, delivery_gateway`);
    await runner.query(`GRANT SELECT ON api_key TO delivery_gateway`);
    await runner.query(`GRANT SELECT, INSERT, UPDATE ON analytics_id TO delivery_control`);
    await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON analytics_key TO delivery_control`);
    await runner.query(`GRANT SELECT ON analytics_report, download_access TO delivery_control`);
    await runner.query(`GRANT SELECT ON analytics_id TO delivery_scheduler, delivery_aggregator, delivery_gateway`);
    await runner.query(`GRANT SELECT ON analytics_key, analytics_report TO delivery_gateway`);
    await runner.query(`GRANT SELECT, INSERT ON download_access TO delivery_gateway`);
    await runner.query(`GRANT SELECT, DELETE ON download_access TO delivery_scheduler`);
    await runner.query(`GRANT SELECT, INSERT ON analytics_report TO delivery_scheduler`);
    await runner.query(`GRANT SELECT, UPDATE ON analytics_report TO delivery_aggregator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE download_access, analytics_report, analytics_key, analytics_id`);
  }
}
