import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations, their keys, their integrations, and the buckets that the platform made for them. */
export class Integrations1700000040000 implements MigrationInterface {
  name = 'Integrations1700000040000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE organization (
        organization_id text PRIMARY KEY CHECK (organization_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
        name text NOT NULL,
        exports_guests boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE api_key (
        organization_id text NOT NULL REFERENCES organization,
        id text NOT NULL,
        name text NOT NULL,
        description text NOT NULL DEFAULT '',
        secret_hash bytea NOT NULL,
        secret_salt bytea NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, id)
      )`);
    // Whoever signs in names the key only: its organization is what the row says.
    await runner.query(`CREATE INDEX api_key_id ON api_key (id)`);
    await this.createIntegrations(runner);
    await this.grant(runner);
  }

  private async createIntegrations(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE integration (
        organization_id text NOT NULL REFERENCES organization,
        id text NOT NULL,
        type_id text NOT NULL,
        authentication jsonb NOT NULL,
        sealed_credentials text,
        properties jsonb NOT NULL,
        mappings jsonb NOT NULL DEFAULT '[]',
        enabled boolean NOT NULL DEFAULT true,
        status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'deleted')),
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        PRIMARY KEY (organization_id, id),
        CONSTRAINT deleted_without_credentials
          CHECK (status <> 'deleted' OR (sealed_credentials IS NULL AND deleted_at IS NOT NULL)),
        CONSTRAINT enabled_is_active CHECK (enabled = (status = 'active'))
      )`);
    await runner.query(`
      CREATE TABLE organization_bucket (
        organization_id text NOT NULL REFERENCES organization,
        kind text NOT NULL CHECK (kind IN ('s3')),
        bucket_name text NOT NULL,
        role_arn text,
        account_ids text[] NOT NULL DEFAULT '{}',
        status text NOT NULL DEFAULT 'allocated' CHECK (status IN ('allocated', 'ready')),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, kind)
      )`);
    await runner.query(`
      CREATE INDEX organization_bucket_unsettled ON organization_bucket (updated_at) WHERE status = 'allocated'`);
  }

  private async grant(runner: QueryRunner): Promise<void> {
    await runner.query(
      `GRANT SELECT, INSERT, UPDATE ON organization, integration, organization_bucket TO delivery_control`,
    );
    await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON api_key TO delivery_control`);
    // Signing in happens in consent-ingest too.
    await runner.query(`GRANT SELECT ON organization, api_key TO delivery_ingest`);
    await runner.query(`GRANT SELECT ON organization, integration, organization_bucket TO delivery_exporter`);
    await runner.query(`GRANT SELECT ON organization TO delivery_scheduler`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE organization_bucket, integration, api_key, organization`);
  }
}
