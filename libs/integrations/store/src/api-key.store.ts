import type { ApiKey } from '@delivery/integrations/domain';
import type { Database } from '@delivery/platform/postgres';
import { ApiKeyEntity } from './api-key.entity';
import { mapped } from './mapped';
import { orderOf, type Page, type PageRequest } from './page';

export type ApiKeySort = 'createdAt' | 'name' | 'id';
export type ApiKeyChanges = Partial<Pick<ApiKey, 'name' | 'description' | 'enabled'>>;

/** What is kept of a secret. */
export interface SecretHash {
  hash: Buffer;
  salt: Buffer;
}

/** Keys of an organization. Secrets are kept as salted hashes and leave this store only for signing in. */
export class ApiKeyStore {
  constructor(private readonly database: Database) {}

  async create(
    key: Pick<ApiKey, 'organizationId' | 'id' | 'name' | 'description'>,
    secret: SecretHash,
  ): Promise<ApiKey> {
    const row = { ...key, secretHash: secret.hash, secretSalt: secret.salt, enabled: true };
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

  /**
   * For signing in, where the organization is not known yet; disabled keys too.
   * Key ids are 20 random characters, so that two organizations never have the same.
   */
  async forSigningIn(id: string): Promise<(ApiKey & { secret: SecretHash }) | undefined> {
    const query = this.rows()
      .createQueryBuilder('key')
      .addSelect(['key.secretHash', 'key.secretSalt'])
      .where('key.id = :id', { id });
    const row = await mapped(query.getOne());
    if (row === null) return undefined;
    return { ...toApiKey(row), secret: { hash: row.secretHash, salt: row.secretSalt } };
  }

  /** Notes that the key was used; at most one write a minute for each, so that a busy client costs nothing. */
  async touch(organizationId: string, id: string): Promise<void> {
    await this.database.query(
      `UPDATE api_key SET last_used_at = now()
       WHERE organization_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [organizationId, id],
    );
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
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
