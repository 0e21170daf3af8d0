import { isOrganizationId, type Organization } from '@delivery/integrations/domain';
import type { Database, Sql } from '@delivery/platform/postgres';
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

  /** @returns whether there is such an organization */
  async update(tx: Sql, organizationId: string, changes: OrganizationChanges): Promise<'changed' | 'absent'> {
    const rows = await tx.query(
      `UPDATE organization SET name = coalesce($2, name), exports_guests = coalesce($3, exports_guests), updated_at = now()
       WHERE organization_id = $1 RETURNING organization_id`,
      [organizationId, changes.name ?? null, changes.exportsGuests ?? null],
    );
    return rows.length === 1 ? 'changed' : 'absent';
  }

  /** Holds the organization until the transaction ends, so that two requests cannot both take the last free place. */
  async lock(tx: Sql, organizationId: string): Promise<'locked' | 'absent'> {
    // NO KEY: rows that refer to the organization can still be added meanwhile.
    const rows = await tx.query('SELECT 1 FROM organization WHERE organization_id = $1 FOR NO KEY UPDATE', [
      organizationId,
    ]);
    return rows.length === 1 ? 'locked' : 'absent';
  }

  /** What of an export the organization decides, as it is now; for planning a run. */
  async exportSettings(sql: Sql, organizationId: string): Promise<{ includeGuests: boolean }> {
    const [row] = await sql.query<{ includeGuests: boolean }>(
      'SELECT exports_guests AS "includeGuests" FROM organization WHERE organization_id = $1',
      [organizationId],
    );
    return { includeGuests: row?.includeGuests ?? false };
  }

  private rows() {
    return this.database.dataSource.getRepository(OrganizationEntity);
  }
}
