import type { Aggregation, AnalyticsKey, Frequency } from '@delivery/analytics/domain';
import type { ApiKeyLookup, ApiKeyRecord, SecretHash } from '@delivery/platform/auth';
import type { Sql } from '@delivery/platform/postgres';

interface KeyRow extends Record<string, unknown> {
  organization_id: string;
  id: string;
  analytics_id: string;
  name: string;
  frequencies: Frequency[] | null;
  aggregations: Aggregation[] | null;
  enabled: boolean;
  created_at: Date;
}

const columns = 'organization_id, id, analytics_id, name, frequencies, aggregations, enabled, created_at';

export type NewAnalyticsKey = Omit<AnalyticsKey, 'createdAt' | 'enabled'>;

/** Owns `analytics_key`. Secrets are kept as salted hashes. These keys open nothing but downloads. */
export class AnalyticsKeyStore implements ApiKeyLookup {
  constructor(private readonly sql: Sql) {}

  /** @returns undefined when the analytics id has `most` of them already */
  async create(key: NewAnalyticsKey, secret: SecretHash, most: number): Promise<AnalyticsKey | undefined> {
    const rows = await this.sql.query<KeyRow>(
      `INSERT INTO analytics_key (organization_id, id, analytics_id, name, frequencies, aggregations, secret_hash, secret_salt)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8
       WHERE (SELECT count(*) FROM analytics_key WHERE organization_id = $1 AND analytics_id = $3) < $9
       RETURNING ${columns}`,
      [
        ...[key.organizationId, key.id, key.analyticsId, key.name, key.frequencies ?? null, key.aggregations ?? null],
        ...[Buffer.from(secret.secretHash), Buffer.from(secret.secretSalt), most],
      ],
    );
    return rows.map(toKey)[0];
  }

  /** Oldest first. */
  async list(organizationId: string, analyticsId: string): Promise<AnalyticsKey[]> {
    const rows = await this.sql.query<KeyRow>(
      `SELECT ${columns} FROM analytics_key WHERE organization_id = $1 AND analytics_id = $2 ORDER BY created_at, id`,
      [organizationId, analyticsId],
    );
    return rows.map(toKey);
  }

  /** @returns undefined if the analytics id has none with this id */
  async setEnabled(
    organizationId: string,
    analyticsId: string,
    id: string,
    enabled: boolean,
  ): Promise<AnalyticsKey | undefined> {
    const rows = await this.sql.query<KeyRow>(
      `UPDATE analytics_key SET enabled = $4 WHERE organization_id = $1 AND analytics_id = $2 AND id = $3
       RETURNING ${columns}`,
      [organizationId, analyticsId, id, enabled],
    );
    return rows.map(toKey)[0];
  }

  async remove(organizationId: string, analyticsId: string, id: string): Promise<'removed' | 'absent'> {
    const rows = await this.sql.query(
      `DELETE FROM analytics_key WHERE organization_id = $1 AND analytics_id = $2 AND id = $3 RETURNING 1`,
      [organizationId, analyticsId, id],
    );
    return rows.length > 0 ? 'removed' : 'absent';
  }

  /** For whoever downloads: his organization is what the row says. Ids are UUIDs: no two organizations have the same. */
  async find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const [row] = await this.sql.query<{
      organization_id: string;
      id: string;
      enabled: boolean;
      secret_hash: Buffer;
      secret_salt: Buffer;
    }>(`SELECT organization_id, id, enabled, secret_hash, secret_salt FROM analytics_key WHERE id = $1`, [keyId]);
    if (row === undefined) return undefined;
    const { organization_id: organizationId, id, enabled, secret_hash: secretHash, secret_salt: secretSalt } = row;
    return { organizationId, id, enabled, secretHash, secretSalt };
  }
}

function toKey(row: KeyRow): AnalyticsKey {
  return {
    organizationId: row.organization_id,
    id: row.id,
    analyticsId: row.analytics_id,
    name: row.name,
    frequencies: row.frequencies ?? undefined,
    aggregations: row.aggregations ?? undefined,
    enabled: row.enabled,
    createdAt: row.created_at,
  };
}
