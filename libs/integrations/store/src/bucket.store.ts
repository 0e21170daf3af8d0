import type { OrganizationBucket } from '@delivery/integrations/domain';
import type { Database, Sql } from '@delivery/platform/postgres';
import { mapped } from './mapped';
import { OrganizationBucketEntity } from './organization-bucket.entity';

/**
 * The buckets that the platform made. The row says what the cloud should hold and is written first: `allocated` until
 * the cloud was brought in line, so that whatever dies in between is found and finished later.
 */
export class BucketStore {
  constructor(private readonly database: Database) {}

  async byOrganization(organizationId: string): Promise<OrganizationBucket | undefined> {
    const row = await mapped(this.rows().findOneBy({ organizationId, kind: 's3' }));
    return row === null ? undefined : toBucket(row);
  }

  /**
   * Marks that the cloud is about to differ from the row. Committed before the first call to the cloud, with the
   * name: a name that exists only in memory would leave a nameless bucket behind.
   * @param proposedName used if the organization has no bucket yet
   */
  async allocate(organizationId: string, proposedName: string): Promise<OrganizationBucket> {
    await this.database.query(
      `INSERT INTO organization_bucket (organization_id, kind, bucket_name) VALUES ($1, 's3', $2)
       ON CONFLICT (organization_id, kind) DO UPDATE SET status = 'allocated', updated_at = now()`,
      [organizationId, proposedName],
    );
    const bucket = await this.byOrganization(organizationId);
    if (bucket === undefined) throw new Error('a bucket that was just allocated is gone');
    return bucket;
  }

  /** Another name for a bucket that was never made, because somebody else has the first one. */
  async rename(organizationId: string, from: string, to: string): Promise<void> {
    await this.database.query(
      `UPDATE organization_bucket SET bucket_name = $3, updated_at = now()
       WHERE organization_id = $1 AND kind = 's3' AND bucket_name = $2 AND role_arn IS NULL`,
      [organizationId, from, to],
    );
  }

  /** {@link allocate} inside a transaction that takes an integration away; nothing to do where there is no bucket. */
  async unsettle(tx: Sql, organizationId: string): Promise<void> {
    await tx.query(
      `UPDATE organization_bucket SET status = 'allocated', updated_at = now() WHERE organization_id = $1 AND kind = 's3'`,
      [organizationId],
    );
  }

  /** Holds the bucket until the transaction ends: the cloud is changed by one at a time. */
  async lock(tx: Sql, organizationId: string): Promise<OrganizationBucket | undefined> {
    const [row] = await tx.query<OrganizationBucketEntity>(
      `SELECT organization_id AS "organizationId", bucket_name AS "bucketName", role_arn AS "roleArn",
         account_ids AS "accountIds", status
       FROM organization_bucket WHERE organization_id = $1 AND kind = 's3' FOR UPDATE`,
      [organizationId],
    );
    return row === undefined ? undefined : toBucket(row);
  }

  /** The cloud holds what the row says: this role, trusting these accounts (no role: nobody). */
  async settle(
    tx: Sql,
    organizationId: string,
    role: { roleArn: string | undefined; accountIds: readonly string[] },
  ): Promise<void> {
    await tx.query(
      `UPDATE organization_bucket SET role_arn = $2, account_ids = $3, status = 'ready', updated_at = now()
       WHERE organization_id = $1 AND kind = 's3'`,
      [organizationId, role.roleArn ?? null, role.accountIds],
    );
  }

  /** Organizations whose bucket was left between row and cloud for longer than any request takes. */
  async unsettled(olderThanSeconds: number): Promise<string[]> {
    const rows = await this.database.query<{ organization_id: string }>(
      `SELECT organization_id FROM organization_bucket
       WHERE status = 'allocated' AND updated_at < now() - make_interval(secs => $1)
       ORDER BY updated_at LIMIT 100`,
      [olderThanSeconds],
    );
    return rows.map((row) => row.organization_id);
  }

  /** Puts one that could not be settled behind the others. */
  async postpone(organizationId: string): Promise<void> {
    await this.database.query(
      `UPDATE organization_bucket SET updated_at = now()
       WHERE organization_id = $1 AND kind = 's3' AND status = 'allocated'`,
      [organizationId],
    );
  }

  private rows() {
    return this.database.dataSource.getRepository(OrganizationBucketEntity);
  }
}

function toBucket(row: OrganizationBucketEntity): OrganizationBucket {
  return {
    organizationId: row.organizationId,
    bucketName: row.bucketName,
    roleArn: row.roleArn ?? undefined,
    accountIds: row.accountIds,
    status: row.status,
  };
}
