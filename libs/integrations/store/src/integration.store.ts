import {
  INTEGRATION_TYPES,
  type Integration,
  type IntegrationTypeId,
  parseAccountId,
  trustedAccounts,
} from '@delivery/integrations/domain';
import type { Database } from '@delivery/platform/postgres';
import { type EntityManager, In, Not } from 'typeorm';
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
  Pick<Integration, 'authentication' | 'sealedCredentials' | 'properties' | 'mappings' | 'enabled'>
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
  /** Whether this organization wants guests exported. */
  exportsGuests: boolean;
}

/** Integrations. Deleted ones are invisible everywhere; their rows stay, without credentials, for the audit. */
export class IntegrationStore {
  constructor(private readonly database: Database) {}

  async add(manager: EntityManager, integration: NewIntegration): Promise<Integration> {
    const { sealedCredentials = null, ...rest } = integration;
    await manager.insert(IntegrationEntity, { ...rest, sealedCredentials, enabled: true, status: 'active' });
    const added = await this.find(manager, integration.organizationId, integration.id);
    if (added === undefined) throw new Error('an integration that was just added is gone');
    return added;
  }

  async byId(organizationId: string, id: string): Promise<Integration | undefined> {
    return mapped(this.find(this.database.dataSource.manager, organizationId, id));
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

  /** How many deliver now; the organization must be locked, or the answer is out of date when it arrives. */
  async countEnabled(manager: EntityManager, organizationId: string): Promise<number> {
    return manager.countBy(IntegrationEntity, { organizationId, enabled: true });
  }

  /** Holds the integration until the transaction ends: changes of one integration happen one after the other. */
  async lock(manager: EntityManager, organizationId: string, id: string): Promise<Integration | undefined> {
    const row = await manager.findOne(IntegrationEntity, {
      where: { organizationId, id, status: Not('deleted') },
      lock: { mode: 'pessimistic_write' },
    });
    return row === null ? undefined : toIntegration(row);
  }

  async change(manager: EntityManager, organizationId: string, id: string, changes: IntegrationChanges): Promise<void> {
    const { enabled, sealedCredentials, ...rest } = changes;
    await manager.update(
      IntegrationEntity,
      { organizationId, id, status: Not('deleted') },
      {
        ...rest,
        ...(sealedCredentials === undefined ? {} : { sealedCredentials }),
        ...(enabled === undefined ? {} : { enabled, status: enabled ? 'active' : 'disabled' }),
        updatedAt: () => 'now()',
      },
    );
  }

  /** Destroys the credentials and hides the integration. */
  async remove(manager: EntityManager, organizationId: string, id: string): Promise<'removed' | 'absent'> {
    const { affected } = await manager.update(
      IntegrationEntity,
      { organizationId, id, status: Not('deleted') },
      {
        status: 'deleted',
        enabled: false,
        sealedCredentials: null,
        deletedAt: () => 'now()',
        updatedAt: () => 'now()',
      },
    );
    return affected === 1 ? 'removed' : 'absent';
  }

  /** The accounts that the organization's S3 integrations name, also disabled ones: what was delivered stays readable. */
  async accountsOf(manager: EntityManager, organizationId: string): Promise<string[]> {
    const rows = await manager.find(IntegrationEntity, {
      where: { organizationId, typeId: In(typesInPlatformBuckets()), status: Not('deleted') },
      order: { id: 'ASC' },
    });
    return trustedAccounts(rows.flatMap((row) => accountOf(row.authentication.account_id)));
  }

  /** For exporters: undefined when the integration is gone or has no bucket. Disabled ones still finish their runs. */
  async destinationOf(organizationId: string, integrationId: string): Promise<IntegrationDestination | undefined> {
    const [row] = await this.database.query<DestinationRow>(
      `SELECT i.type_id, i.authentication, i.properties, i.sealed_credentials, b.bucket_name, o.exports_guests
       FROM integration i
       JOIN organization o USING (organization_id)
       LEFT JOIN organization_bucket b ON b.organization_id = i.organization_id AND b.kind = 's3'
       WHERE i.organization_id = $1 AND i.id = $2 AND i.status <> 'deleted'`,
      [organizationId, integrationId],
    );
    return row === undefined ? undefined : toDestination(organizationId, integrationId, row);
  }

  private async find(manager: EntityManager, organizationId: string, id: string): Promise<Integration | undefined> {
    const row = await manager.findOneBy(IntegrationEntity, { organizationId, id, status: Not('deleted') });
    return row === null ? undefined : toIntegration(row);
  }
}

interface DestinationRow {
  type_id: string;
  authentication: { project_id?: string };
  properties: { bucket_name?: string };
  sealed_credentials: string | null;
  bucket_name: string | null;
  exports_guests: boolean;
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
    exportsGuests: row.exports_guests,
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
