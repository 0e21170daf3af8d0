import { IntegrationStore, OrganizationStore } from '@delivery/integrations/store';
import { forbidden, notFound } from '@delivery/platform/auth';
import type { Transaction } from '@delivery/platform/postgres';

/** How many exports of an organization may be enabled at a time (contracts.md §1.2). */
export class EnabledQuota {
  constructor(
    private readonly organizations: OrganizationStore,
    private readonly integrations: IntegrationStore,
    readonly limit: number,
  ) {}

  /**
   * Holds a place for one more enabled integration until the transaction ends.
   * @throws 403 with a sentence when there is none
   */
  async claim(tx: Transaction, organizationId: string): Promise<void> {
    if ((await this.organizations.lock(tx, organizationId)) === 'absent')
      throw notFound('This organization no longer exists.');
    const enabled = await this.integrations.countEnabled(tx, organizationId);
    if (enabled < this.limit) return;
    throw forbidden(
      `This organization has ${enabled} enabled exports and may have ${this.limit} at a time: ` +
        'disable one (PATCH with enabled: false), delete one, or ask the operator for a larger quota.',
    );
  }
}
