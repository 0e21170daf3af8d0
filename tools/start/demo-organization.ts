import { dayOf, hourOf } from '@delivery/analytics/domain';
import { AnalyticsKeyStore } from '@delivery/analytics/store';
import type { Database } from '@delivery/platform/postgres';
import {
  createAnalyticsId,
  createAnalyticsKey,
  createKey,
  createOrganization,
  enableKey,
  listAnalyticsIds,
  listAnalyticsKeys,
  listKeys,
  withDatabase,
} from '../admin';

export interface OrganizationKey {
  organization: string;
  id: string;
  secret: string;
  reports: ReportsKey;
}

/** What opens the downloads of reports. */
export interface ReportsKey {
  analyticsId: string;
  /** Of the interactions that are counted. */
  settingsId: string;
  /** As it is sent. */
  key: string;
  /** The last day whose report is there at any time of today: `YYYY-MM-DD`, UTC. */
  day: string;
}

const organization = 'demo';
const keyName = 'npm start';
const settingsId = 'shop-banner';

/** The organization `demo` with fresh keys; those of earlier starts, which nobody knows any more, open nothing. */
export function demoOrganization(environment: Readonly<Record<string, string>>): Promise<OrganizationKey> {
  return withDatabase({ ...environment }, async (database) => {
    await createOrganization(database, { id: organization, name: 'Demo' });
    const earlier = (await listKeys(database, organization)).filter(({ name, enabled }) => name === keyName && enabled);
    for (const { id } of earlier) await enableKey(database, organization, id, false);
    const { id, secret } = await createKey(database, organization, { name: keyName });
    return { organization, id, secret, reports: await demoReports(database) };
  });
}

async function demoReports(database: Database): Promise<ReportsKey> {
  const day = dayOf(hourOf(new Date()) - 48);
  const known = (await listAnalyticsIds(database, organization)).find(({ name }) => name === keyName);
  const wish = { name: keyName, settingsIds: [settingsId], reportsFrom: day };
  const { id: analyticsId } = known ?? (await createAnalyticsId(database, organization, wish));
  const keys = new AnalyticsKeyStore(database);
  const earlier = (await listAnalyticsKeys(database, organization, analyticsId)).filter(({ name }) => name === keyName);
  for (const { id } of earlier) await keys.remove(organization, analyticsId, id);
  const { combined } = await createAnalyticsKey(database, organization, analyticsId, { name: keyName });
  return { analyticsId, settingsId, key: combined, day };
}
