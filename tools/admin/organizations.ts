import { isOrganizationId, type Organization, ORGANIZATION_ID_RULE } from '@delivery/integrations/domain';
import { type OrganizationChanges, OrganizationStore } from '@delivery/integrations/store';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';

/** Repeatable: one that exists stays as it is. @throws AdminError `usage` for an id that cannot be one */
export async function createOrganization(
  database: Database,
  organization: { id: string; name?: string; exportsGuests?: boolean },
): Promise<'created' | 'exists'> {
  const { id, name = id, exportsGuests = false } = organization;
  if (!isOrganizationId(id)) throw new AdminError('usage', `"${id}" is no organization id: ${ORGANIZATION_ID_RULE}.`);
  return new OrganizationStore(database).create({ organizationId: id, name, exportsGuests });
}

/** `exportsGuests` counts from the next planned run on. @throws AdminError `not_found` */
export async function updateOrganization(
  database: Database,
  id: string,
  changes: OrganizationChanges,
): Promise<Organization> {
  const store = new OrganizationStore(database);
  await store.update(database, id, changes);
  return requireOrganization(store, id);
}

export function listOrganizations(database: Database): Promise<Organization[]> {
  return new OrganizationStore(database).list();
}

/** @throws AdminError `not_found` */
export async function requireOrganization(store: OrganizationStore, id: string): Promise<Organization> {
  const organization = await store.byId(id);
  if (organization !== undefined) return organization;
  throw new AdminError(
    'not_found',
    `There is no organization "${id}". Make it: npm run admin -- organization create ${id}`,
  );
}
