import type { ApiKey } from '@delivery/integrations/domain';
import type { ApiKeyLookup, ApiKeyRecord, SecretHash } from '@delivery/platform/auth';
import type { Database } from '@delivery/platform/postgres';
import { ApiKeyEntity } from './api-key.entity';
import { mapped } from './mapped';
import { orderOf, type Page, type PageRequest } from './page';

export type ApiKeySort = 'createdAt' | 'name' | 'id';
export type ApiKeyChanges = Partial<Pick<ApiKey, 'name' | 'description' | 'enabled'>>;

/** Keys of an organization. Secrets are kept as salted hashes and leave this store only for signing in. */
export class ApiKeyStore implements ApiKeyLookup {
  constructor(private readonly database: Database) {}

  async create(
    key: Pick<ApiKey, 'organizationId' | 'id' | 'name' | 'description'>,
    secret: SecretHash,
  ): Promise<ApiKey> {
    const row = {
      ...key,
      secretHash: Buffer.from(secret.secretHash),
      secretSalt: Buffer.from(secret.secretSalt),
      enabled: true,
    };
    await mapped(this.rows().insert(row));
    const created = await this.byId(key.organizationId, key.id);
    if (created === undefined) throw new Error('a key that was just made is gone');
    return created;
  }

  async byId(organizationId: string, id: string): Promise<ApiKey | undefined> {
    const row = await mapped(this.rows().findOneBy({ organizationId, id }));
    return row === null ? undefined : toApiKey(row);
  }

  async list(organizationId: string, page: PageRequest<ApiKeySort>): Promise<Page<ApiKey>> {
    const found = this.rows().findAndCount({
      where: { organizationId },
      order: orderOf(page.sort),
      take: page.limit,
      skip: page.skip,
    });
    const [rows, total] = await mapped(found);
    return { data: rows.map(toApiKey), total };
  }

  /** @returns the key as it is now, or undefined if the organization has none with this id */
  async update(organizationId: string, id: string, changes: ApiKeyChanges): Promise<ApiKey | undefined> {
    if (Object.keys(changes).length > 0) await mapped(this.rows().update({ organizationId, id }, changes));
    return this.byId(organizationId, id);
  }

  async remove(organizationId: string, id: string): Promise<'removed' | 'absent'> {
    const { affected } = await mapped(this.rows().delete({ organizationId, id }));
    return affected === 1 ? 'removed' : 'absent';
  }

  /** For signing in, where the organization is not known yet. Ids are UUIDs: no two organizations have the same. */
  async find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const row = await mapped(
      this.rows().findOne({
        where: { id: keyId },
        select: { organizationId: true, id: true, enabled: true, secretHash: true, secretSalt: true },
      }),
    );
    if (row === null) return undefined;
    const { organizationId, id, enabled, secretHash, secretSalt } = row;
    return { organizationId, id, enabled, secretHash, secretSalt };
  }

  private rows() {
    return this.database.dataSource.getRepository(ApiKeyEntity);
  }
}

function toApiKey(row: ApiKeyEntity): ApiKey {
  return {
    organizationId: row.organizationId,
    id: row.id,
    name: row.name,
    description: row.description,
    enabled: row.enabled,
    createdAt: row.createdAt,
  };
}
