import {
  INTEGRATION_TYPES,
  type Integration,
  type IntegrationTypeId,
  isShortId,
  parseAccountId,
  trustedAccounts,
} from '@delivery/integrations/domain';
import type { Database, Sql } from '@delivery/platform/postgres';
import { In, Not } from 'typeorm';
import { mapped } from './mapped';
import { IntegrationEntity } from './integration.entity';
import { orderOf, type Page, type PageRequest } from './page';

export type IntegrationSort = 'createdAt' | 'updatedAt' | 'typeId' | 'id';

export interface IntegrationFilter {
  /** Undefined: all types. */
  typeIds?: readonly string[];
  enabled?: boolean;
}

export type NewIntegration = Pick<
  Integration,
  'organizationId' | 'id' | 'typeId' | 'authentication' | 'sealedCredentials' | 'properties' | 'mappings' | 'createdBy'
>;

export type IntegrationChanges = Partial<
  Pick<Integration, 'authentication' | 'sealedCredentials' | 'properties' | 'enabled'>
>;

/** Where an exporter delivers to, as it is now: read when a run is claimed. */
export interface IntegrationDestination {
  organizationId: string;
  integrationId: string;
  typeId: IntegrationTypeId;
  kind: 's3' | 'gcs';
  bucketName: string;
  /** GCS. */
  projectId: string | undefined;
  /** Opens with `credentialsBinding(organizationId, integrationId)`; undefined where the platform's own are used. */
  sealedCredentials: string | undefined;
}

/** Integrations. Deleted ones are invisible everywhere; their rows stay, without credentials, for the audit. */
export class IntegrationStore {
  constructor(private readonly database: Database) {}

  async add(tx: Sql, integration: NewIntegration): Promise<Integration> {
    const [row] = await tx.query<IntegrationEntity>(
      `INSERT INTO integration (organization_id, id, type_id, authentication, sealed_credentials, properties, mappings,
         created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
      [
        integration.organizationId,
        integration.id,
        integration.typeId,
        JSON.stringify(integration.authentication),
        integration.sealedCredentials ?? null,
        JSON.stringify(integration.properties),
        JSON.stringify(integration.mappings),
        integration.createdBy,
      ],
    );
    if (row === undefined) throw new TypeError('Postgres returned no row');
    return toIntegration(row);
  }

  async byId(organizationId: string, id: string): Promise<Integration | undefined> {
    return this.one(this.database, organizationId, id, '');
  }

  async list(
    organizationId: string,
    filter: IntegrationFilter,
    page: PageRequest<IntegrationSort>,
  ): Promise<Page<Integration>> {
    const found = this.database.dataSource.getRepository(IntegrationEntity).findAndCount({
      where: {
        organizationId,
        status: Not('deleted'),
        ...(filter.typeIds === undefined ? {} : { typeId: In([...filter.typeIds]) }),
        ...(filter.enabled === undefined ? {} : { enabled: filter.enabled }),
      },
      order: orderOf(page.sort),
      take: page.limit,
      skip: page.skip,
    });
    const [rows, total] = await mapped(found);
    return { data: rows.map(toIntegration), total };
  }

  /** Whether there is one, or was before it was deleted: its runs are still told about. */
  async wasEver(organizationId: string, id: string): Promise<boolean> {
    if (!isShortId(id)) return false;
    const rows = await this.database.query('SELECT 1 FROM integration WHERE organization_id = $1 AND id = $2', [
      organizationId,
      id,
    ]);
    return rows.length === 1;
  }

  /** How many deliver now; the organization must be locked, or the answer is out of date when it arrives. */
  async countEnabled(tx: Sql, organizationId: string): Promise<number> {
    const [row] = await tx.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM integration WHERE organization_id = $1 AND enabled',
      [organizationId],
    );
    return row?.count ?? 0;
  }

  /** Holds the integration until the transaction ends: changes of one integration happen one after the other. */
  async lock(tx: Sql, organizationId: string, id: string): Promise<Integration | undefined> {
    return this.one(tx, organizationId, id, 'FOR UPDATE');
  }

  /** @returns the integration as it is now, or undefined if there is none */
  async change(
    tx: Sql,
    organizationId: string,
    id: string,
    changes: IntegrationChanges,
  ): Promise<Integration | undefined> {
    const [row] = await tx.query<IntegrationEntity>(
      `UPDATE integration SET authentication = coalesce($3, authentication),
         sealed_credentials = coalesce($4, sealed_credentials), properties = coalesce($5, properties),
         enabled = coalesce($6, enabled),
         status = CASE WHEN coalesce($6, enabled) THEN 'active' ELSE 'disabled' END, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND status <> 'deleted' RETURNING ${columns}`,
      [
        organizationId,
        id,
        changes.authentication === undefined ? null : JSON.stringify(changes.authentication),
        changes.sealedCredentials ?? null,
        changes.properties === undefined ? null : JSON.stringify(changes.properties),
        changes.enabled ?? null,
      ],
    );
    return row === undefined ? undefined : toIntegration(row);
  }

  /** Destroys the credentials and hides the integration. */
  async remove(tx: Sql, organizationId: string, id: string): Promise<'removed' | 'absent'> {
    const rows = await tx.query(
      `UPDATE integration SET status = 'deleted', enabled = false, sealed_credentials = NULL, deleted_at = now(),
         updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND status <> 'deleted' RETURNING id`,
      [organizationId, id],
    );
    return rows.length === 1 ? 'removed' : 'absent';
  }

  /** The accounts that the organization's S3 integrations name, also disabled ones: what was delivered stays readable. */
  async accountsOf(tx: Sql, organizationId: string): Promise<string[]> {
    const rows = await tx.query<{ given: string | null }>(
      `SELECT authentication ->> 'account_id' AS given FROM integration
       WHERE organization_id = $1 AND type_id = ANY($2) AND status <> 'deleted'`,
      [organizationId, typesInPlatformBuckets()],
    );
    return trustedAccounts(rows.flatMap((row) => accountOf(row.given ?? undefined)));
  }

  /** For exporters: undefined when the integration is gone or has no bucket. Disabled ones still finish their runs. */
  async destinationOf(organizationId: string, integrationId: string): Promise<IntegrationDestination | undefined> {
    const [row] = await this.database.query<DestinationRow>(
      `SELECT i.type_id, i.authentication, i.properties, i.sealed_credentials, b.bucket_name
       FROM integration i
       LEFT JOIN organization_bucket b ON b.organization_id = i.organization_id AND b.kind = 's3'
       WHERE i.organization_id = $1 AND i.id = $2 AND i.status <> 'deleted'`,
      [organizationId, integrationId],
    );
    return row === undefined ? undefined : toDestination(organizationId, integrationId, row);
  }

  private async one(sql: Sql, organizationId: string, id: string, lock: string): Promise<Integration | undefined> {
    if (!isShortId(id)) return undefined;
    const [row] = await sql.query<IntegrationEntity>(
      `SELECT ${columns} FROM integration WHERE organization_id = $1 AND id = $2 AND status <> 'deleted' ${lock}`,
      [organizationId, id],
    );
    return row === undefined ? undefined : toIntegration(row);
  }
}

/** A row in the shape of the entity. */
const columns = `organization_id AS "organizationId", id, type_id AS "typeId", authentication,
  sealed_credentials AS "sealedCredentials", properties, mappings, enabled, status, created_by AS "createdBy",
  created_at AS "createdAt", updated_at AS "updatedAt", deleted_at AS "deletedAt"`;

interface DestinationRow {
  type_id: string;
  authentication: { project_id?: string };
  properties: { bucket_name?: string };
  sealed_credentials: string | null;
  bucket_name: string | null;
}

function toDestination(
  organizationId: string,
  integrationId: string,
  row: DestinationRow,
): IntegrationDestination | undefined {
  const type = INTEGRATION_TYPES.find(({ typeId }) => typeId === row.type_id);
  if (type === undefined) return undefined;
  const bucketName = type.bucketOwner === 'platform' ? row.bucket_name : row.properties.bucket_name;
  if (bucketName === null || bucketName === undefined) return undefined;
  return {
    organizationId,
    integrationId,
    typeId: type.typeId,
    kind: type.destinationKind,
    bucketName,
    projectId: row.authentication.project_id,
    sealedCredentials: row.sealed_credentials ?? undefined,
  };
}

function typesInPlatformBuckets(): IntegrationTypeId[] {
  return INTEGRATION_TYPES.filter((type) => type.bucketOwner === 'platform').map((type) => type.typeId);
}

function accountOf(given: string | undefined): string[] {
  const account = given === undefined ? undefined : parseAccountId(given);
  return account !== undefined && 'accountId' in account ? [account.accountId] : [];
}

function toIntegration(row: IntegrationEntity): Integration {
  return {
    organizationId: row.organizationId,
    id: row.id,
    typeId: row.typeId,
    authentication: row.authentication,
    sealedCredentials: row.sealedCredentials ?? undefined,
    properties: row.properties,
    mappings: row.mappings,
    enabled: row.enabled,
    status: row.status,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
