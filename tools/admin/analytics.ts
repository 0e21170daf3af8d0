import {
  type Aggregation,
  AGGREGATIONS,
  ANALYTICS_ID,
  type AnalyticsId,
  type AnalyticsKey,
  dayOf,
  FREQUENCIES,
  type Frequency,
  hourOf,
  MAX_ANALYTICS_IDS,
  MAX_ANALYTICS_KEYS,
  MAX_SETTINGS_IDS,
  reportsFromFault,
  SETTINGS_ID,
} from '@delivery/analytics/domain';
import { type AnalyticsIdChanges, AnalyticsIdStore, AnalyticsKeyStore } from '@delivery/analytics/store';
import { databaseNow } from '@delivery/exports/store';
import { newShortId } from '@delivery/integrations/domain';
import { OrganizationStore } from '@delivery/integrations/store';
import { generateApiKey, hashSecret, type IssuedApiKey } from '@delivery/platform/auth';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';
import { requireOrganization } from './organizations';

const store = new AnalyticsIdStore();

export interface AnalyticsIdWish {
  /** Made if not given. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly settingsIds: readonly string[];
  /** All if not given. */
  readonly frequencies?: readonly Frequency[] | undefined;
  readonly aggregations?: readonly Aggregation[] | undefined;
  /** `YYYY-MM-DD`; today if not given. */
  readonly reportsFrom?: string | undefined;
}

/** @throws AdminError `usage`, `not_found`, `refused` when it exists, or the organization has too many */
export async function createAnalyticsId(
  database: Database,
  organizationId: string,
  wish: AnalyticsIdWish,
): Promise<AnalyticsId> {
  await requireOrganization(new OrganizationStore(database), organizationId);
  const { id = newShortId(), name = id, settingsIds } = wish;
  const { frequencies = FREQUENCIES, aggregations = AGGREGATIONS } = wish;
  if (!ANALYTICS_ID.test(id)) {
    throw new AdminError('usage', `"${id}" is no analytics id: 1 to 64 letters, digits, "-" and "_".`);
  }
  assertName(name);
  assertSettings(settingsIds);
  const today = dayOf(hourOf(await databaseNow(database)));
  const { reportsFrom = today } = wish;
  const fault = reportsFromFault(reportsFrom, today);
  if (fault !== undefined) throw new AdminError('usage', `--reports-from ${fault}.`);
  if ((await store.find(database, organizationId, id)) !== undefined) {
    throw new AdminError(
      'refused',
      `Organization "${organizationId}" has an analytics id "${id}": change it with update.`,
    );
  }
  const row = { organizationId, id, name, settingsIds, frequencies, aggregations, reportsFrom };
  const made = await store.create(database, row, MAX_ANALYTICS_IDS);
  if (made !== undefined) return made;
  throw new AdminError('refused', `Organization "${organizationId}" has ${MAX_ANALYTICS_IDS} analytics ids already.`);
}

/** Oldest first. @throws AdminError `not_found` */
export async function listAnalyticsIds(database: Database, organizationId: string): Promise<AnalyticsId[]> {
  await requireOrganization(new OrganizationStore(database), organizationId);
  return store.list(database, organizationId);
}

/** Counts for reports that are planned from now on. @throws AdminError `usage`, `not_found` */
export async function updateAnalyticsId(
  database: Database,
  organizationId: string,
  id: string,
  changes: AnalyticsIdChanges,
): Promise<AnalyticsId> {
  if (changes.settingsIds !== undefined) assertSettings(changes.settingsIds);
  if (changes.name !== undefined) assertName(changes.name);
  return known(organizationId, id, await store.update(database, organizationId, id, changes));
}

export interface AnalyticsKeyWish {
  readonly name?: string | undefined;
  /** All that the analytics id has if not given. */
  readonly frequencies?: readonly Frequency[] | undefined;
  readonly aggregations?: readonly Aggregation[] | undefined;
}

/** A new key. The secret is in the answer and nowhere else. Not repeatable. @throws AdminError `not_found`, `refused` */
export async function createAnalyticsKey(
  database: Database,
  organizationId: string,
  analyticsId: string,
  { name = 'admin', frequencies, aggregations }: AnalyticsKeyWish = {},
): Promise<IssuedApiKey> {
  assertName(name);
  known(organizationId, analyticsId, await store.find(database, organizationId, analyticsId));
  const issued = generateApiKey();
  const row = { organizationId, id: issued.id, analyticsId, name, frequencies, aggregations };
  const made = await new AnalyticsKeyStore(database).create(row, hashSecret(issued.secret), MAX_ANALYTICS_KEYS);
  if (made !== undefined) return issued;
  throw new AdminError('refused', `Analytics id "${analyticsId}" has ${MAX_ANALYTICS_KEYS} keys already.`);
}

/** Oldest first. @throws AdminError `not_found` */
export async function listAnalyticsKeys(
  database: Database,
  organizationId: string,
  analyticsId: string,
): Promise<AnalyticsKey[]> {
  known(organizationId, analyticsId, await store.find(database, organizationId, analyticsId));
  return new AnalyticsKeyStore(database).list(organizationId, analyticsId);
}

/** Which key of which analytics id. */
export interface AnalyticsKeyName {
  readonly organizationId: string;
  readonly analyticsId: string;
  readonly id: string;
}

/** A disabled key opens nothing any more, within seconds. @throws AdminError `not_found` */
export async function enableAnalyticsKey(
  database: Database,
  name: AnalyticsKeyName,
  enabled: boolean,
): Promise<AnalyticsKey> {
  const { organizationId, analyticsId, id } = name;
  const key = await new AnalyticsKeyStore(database).setEnabled(organizationId, analyticsId, id, enabled);
  if (key === undefined) throw noSuchKey(name);
  return key;
}

/** @throws AdminError `not_found` */
export async function deleteAnalyticsKey(database: Database, name: AnalyticsKeyName): Promise<void> {
  const { organizationId, analyticsId, id } = name;
  const removed = await new AnalyticsKeyStore(database).remove(organizationId, analyticsId, id);
  if (removed === 'absent') throw noSuchKey(name);
}

function noSuchKey({ organizationId, analyticsId, id }: AnalyticsKeyName): AdminError {
  const list = `npm run admin -- analytics key list ${organizationId} ${analyticsId}`;
  return new AdminError(
    'not_found',
    `Analytics id "${analyticsId}" of "${organizationId}" has no key "${id}": ${list}`,
  );
}

function assertName(name: string): void {
  if (name.trim() === '' || name.length > 200) {
    throw new AdminError('usage', '--name takes a text of 1 to 200 characters.');
  }
}

function assertSettings(settingsIds: readonly string[]): void {
  const odd = settingsIds.find((each) => !SETTINGS_ID.test(each));
  if (odd !== undefined) {
    throw new AdminError('usage', `"${odd}" is no settings id: 1 to 64 letters, digits, "_", "." or "-".`);
  }
  if (settingsIds.length > 0 && settingsIds.length <= MAX_SETTINGS_IDS) return;
  throw new AdminError('usage', `An analytics id has 1 to ${MAX_SETTINGS_IDS} settings ids: --settings <id,...>`);
}

function known<T>(organizationId: string, id: string, found: T | undefined): T {
  if (found !== undefined) return found;
  const list = `npm run admin -- analytics list ${organizationId}`;
  throw new AdminError('not_found', `Organization "${organizationId}" has no analytics id "${id}": ${list}`);
}
