import type { ApiKey } from '@delivery/integrations/domain';
import { ApiKeyStore, OrganizationStore } from '@delivery/integrations/store';
import { generateApiKey, hashSecret, type IssuedApiKey } from '@delivery/platform/auth';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';
import { requireOrganization } from './organizations';

/** More keys than any organization has. */
const MAX_KEYS = 1000;

/** A new key. The secret is in the answer and nowhere else. Not repeatable. @throws AdminError `not_found` */
export async function createKey(
  database: Database,
  organizationId: string,
  { name = 'admin', description = '' }: { name?: string; description?: string } = {},
): Promise<IssuedApiKey> {
  await requireOrganization(new OrganizationStore(database), organizationId);
  const issued = generateApiKey();
  const key = { organizationId, id: issued.id, name, description };
  await new ApiKeyStore(database).create(key, hashSecret(issued.secret));
  return issued;
}

/** Newest first. @throws AdminError `not_found` */
export async function listKeys(database: Database, organizationId: string): Promise<ApiKey[]> {
  await requireOrganization(new OrganizationStore(database), organizationId);
  const sort = [{ by: 'createdAt', descending: true }] as const;
  return (await new ApiKeyStore(database).list(organizationId, { limit: MAX_KEYS, skip: 0, sort })).data;
}

/** A disabled key gets no more access tokens; those it has live on until they expire. @throws AdminError `not_found` */
export async function enableKey(
  database: Database,
  organizationId: string,
  id: string,
  enabled: boolean,
): Promise<ApiKey> {
  const key = await new ApiKeyStore(database).update(organizationId, id, { enabled });
  if (key !== undefined) return key;
  throw new AdminError(
    'not_found',
    `Organization "${organizationId}" has no key "${id}": npm run admin -- key list ${organizationId}`,
  );
}
