import {
  AGGREGATIONS,
  ANALYTICS_ID,
  type AnalyticsId,
  type AnalyticsKey,
  dayOf,
  FREQUENCIES,
  hourOf,
  MAX_ANALYTICS_IDS,
  MAX_ANALYTICS_KEYS,
  reportsFromFault,
} from '@delivery/analytics/domain';
import { AnalyticsIdStore, AnalyticsKeyStore, type NewAnalyticsKey } from '@delivery/analytics/store';
import { databaseNow } from '@delivery/exports/store';
import { newShortId } from '@delivery/integrations/domain';
import type { CreateAnalyticsIdRequest } from '@delivery/integrations/schema';
import { OrganizationStore } from '@delivery/integrations/store';
import { ApiException, badRequest, forbidden, notFound, type SecretHash } from '@delivery/platform/auth';
import { Database, type Transaction } from '@delivery/platform/postgres';
import { Injectable } from '@nestjs/common';

/** Makes analytics ids and their keys, as many as an organization may have. */
@Injectable()
export class AnalyticsIds {
  constructor(
    private readonly database: Database,
    private readonly organizations: OrganizationStore,
    private readonly ids: AnalyticsIdStore,
  ) {}

  /** @throws ApiException 400 for a first day that cannot be one, 403 when there are too many, 409 for an id in use */
  async create(organizationId: string, request: CreateAnalyticsIdRequest): Promise<AnalyticsId> {
    const { id = newShortId(), name, settings_ids: settingsIds } = request;
    const { frequencies = [...FREQUENCIES], aggregations = [...AGGREGATIONS] } = request;
    return this.locked(organizationId, async (tx) => {
      const today = dayOf(hourOf(await databaseNow(tx)));
      const { reports_from: reportsFrom = today } = request;
      const fault = reportsFromFault(reportsFrom, today);
      if (fault !== undefined) {
        throw badRequest(`reports_from ${fault}.`, [{ field: 'reports_from', message: fault }]);
      }
      if ((await this.ids.find(tx, organizationId, id)) !== undefined) {
        throw new ApiException(409, 'This organization has an analytics id of this name: choose another one.');
      }
      const row = { organizationId, id, name, settingsIds, frequencies, aggregations, reportsFrom };
      const made = await this.ids.create(tx, row, MAX_ANALYTICS_IDS);
      if (made !== undefined) return made;
      throw forbidden(
        `This organization has ${MAX_ANALYTICS_IDS} analytics ids, and may have no more: one id may have many settings ids.`,
      );
    });
  }

  /** @throws ApiException 404, 403 when there are too many */
  async createKey(key: NewAnalyticsKey, secret: SecretHash): Promise<AnalyticsKey> {
    return this.locked(key.organizationId, async (tx) => {
      if ((await this.ids.find(tx, key.organizationId, key.analyticsId)) === undefined) throw noSuchAnalyticsId();
      const made = await new AnalyticsKeyStore(tx).create(key, secret, MAX_ANALYTICS_KEYS);
      if (made !== undefined) return made;
      throw forbidden(`This analytics id has ${MAX_ANALYTICS_KEYS} keys, and may have no more: delete one.`);
    });
  }

  /** @throws ApiException 404 */
  async find(organizationId: string, id: string): Promise<AnalyticsId> {
    // Odd bytes in a path do not reach the database.
    const found = ANALYTICS_ID.test(id) ? await this.ids.find(this.database, organizationId, id) : undefined;
    if (found === undefined) throw noSuchAnalyticsId();
    return found;
  }

  /** Two requests at a time cannot both take the last free place, nor the same id. */
  private locked<T>(organizationId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      if ((await this.organizations.lock(tx, organizationId)) === 'absent') {
        throw notFound('This organization no longer exists.');
      }
      return work(tx);
    });
  }
}

export function noSuchAnalyticsId(): ApiException {
  return notFound('There is no analytics id of this name in your organization.');
}
