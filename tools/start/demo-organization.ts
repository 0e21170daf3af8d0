import { createKey, createOrganization, enableKey, listKeys, withDatabase } from '../admin';

export interface OrganizationKey {
  organization: string;
  id: string;
  secret: string;
}

const organization = 'demo';
const keyName = 'npm start';

/** The organization `demo` with a fresh key; the keys of earlier starts, which nobody knows any more, are disabled. */
export function demoOrganization(environment: Readonly<Record<string, string>>): Promise<OrganizationKey> {
  return withDatabase({ ...environment }, async (database) => {
    await createOrganization(database, { id: organization, name: 'Demo' });
    const earlier = (await listKeys(database, organization)).filter(({ name, enabled }) => name === keyName && enabled);
    for (const { id } of earlier) await enableKey(database, organization, id, false);
    const { id, secret } = await createKey(database, organization, { name: keyName });
    return { organization, id, secret };
  });
}
