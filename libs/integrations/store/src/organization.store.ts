import { isOrganizationId, type Organization } from '@delivery/integrations/domain';
import type { Database } from '@delivery/platform/postgres';
import type { EntityManager } from 'typeorm';
import { mapped } from './mapped';
import { OrganizationEntity } from './organization.entity';

export interface OrganizationChanges {
  name?: string;
  exportsGuests?: boolean;
}

/** Organizations: made and changed by the operator, read by everything. */
export class OrganizationStore {
  constructor(private readonly database: Database) {}

  /** Repeatable: one that exists stays as it is. */
  async create(
    organization: Pick<Organization, 'organizationId' | 'name' | 'exportsGuests'>,
  ): Promise<'created' | 'exists'> {
    const rows = await this.database.query(
      `INSERT INTO organization (organization_id, name, exports_guests) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING organization_id`,
      [organization.organizationId, organization.name, organization.exportsGuests],
    );
    return rows.length === 1 ? 'created' : 'exists';
  }

  async byId(organizationId: string): Promise<Organization | undefined> {
    if (!isOrganizationId(organizationId)) return undefined;
    return (await mapped(this.rows().findOneBy({ organizationId }))) ?? undefined;
  }

  /** All of them, by id. */
  async list(): Promise<Organization[]> {
    return mapped(this.rows().find({ order: { organizationId: 'ASC' } }));
  }

  /** @returns the organization as it is now, or undefined if there is none */
  async update(organizationId: string, changes: OrganizationChanges): Promise<Organization | undefined> {
    await mapped(this.rows().update({ organizationId }, { ...changes, updatedAt: () => 'now()' }));
    return this.byId(organizationId);
  }

  /** Holds the organization until the transaction ends, so that two requests cannot both take the last free place. */
  async lock(manager: EntityManager, organizationId: string): Promise<Organization | undefined> {
    const found = await manager.findOne(OrganizationEntity, {
      where: { organizationId },
      lock: { mode: 'pessimistic_write' },
    });
    return found ?? undefined;
  }

  private rows() {
    return this.database.dataSource.getRepository(OrganizationEntity);
  }
}
