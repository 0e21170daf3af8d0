import type { Aggregation, AnalyticsId, Frequency } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';

interface AnalyticsIdRow extends Record<string, unknown> {
  organization_id: string;
  id: string;
  name: string;
  settings_ids: string[];
  frequencies: Frequency[];
  aggregations: Aggregation[];
  reports_from: string;
  enabled: boolean;
  created_at: Date;
}

const columns = `organization_id, id, name, settings_ids, frequencies, aggregations,
  to_char(reports_from, 'YYYY-MM-DD') AS reports_from, enabled, created_at`;

export type NewAnalyticsId = Omit<AnalyticsId, 'createdAt' | 'enabled'>;
export type AnalyticsIdChanges = Partial<
  Pick<AnalyticsId, 'name' | 'settingsIds' | 'frequencies' | 'aggregations' | 'enabled'>
>;

/** Owns `analytics_id`. They are never removed: their reports name them. */
export class AnalyticsIdStore {
  /** @returns undefined when the organization has `most` of them already */
  async create(sql: Sql, id: NewAnalyticsId, most: number): Promise<AnalyticsId | undefined> {
    const rows = await sql.query<AnalyticsIdRow>(
      `INSERT INTO analytics_id (organization_id, id, name, settings_ids, frequencies, aggregations, reports_from)
       SELECT $1, $2, $3, $4, $5, $6, $7::date WHERE (SELECT count(*) FROM analytics_id WHERE organization_id = $1) < $8
       RETURNING ${columns}`,
      [id.organizationId, id.id, id.name, id.settingsIds, id.frequencies, id.aggregations, id.reportsFrom, most],
    );
    return rows.map(toAnalyticsId)[0];
  }

  /** Oldest first. */
  async list(sql: Sql, organizationId: string): Promise<AnalyticsId[]> {
    const rows = await sql.query<AnalyticsIdRow>(
      `SELECT ${columns} FROM analytics_id WHERE organization_id = $1 ORDER BY created_at, id`,
      [organizationId],
    );
    return rows.map(toAnalyticsId);
  }

  async find(sql: Sql, organizationId: string, id: string): Promise<AnalyticsId | undefined> {
    const rows = await sql.query<AnalyticsIdRow>(
      `SELECT ${columns} FROM analytics_id WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    return rows.map(toAnalyticsId)[0];
  }

  /** Reports that are planned from now on are made by what is changed. @returns undefined if there is none */
  async update(
    sql: Sql,
    organizationId: string,
    id: string,
    changes: AnalyticsIdChanges,
  ): Promise<AnalyticsId | undefined> {
    const rows = await sql.query<AnalyticsIdRow>(
      `UPDATE analytics_id SET name = coalesce($3, name), settings_ids = coalesce($4, settings_ids),
         frequencies = coalesce($5, frequencies), aggregations = coalesce($6, aggregations),
         enabled = coalesce($7, enabled), updated_at = now()
       WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
      [
        ...[organizationId, id, changes.name ?? null, changes.settingsIds ?? null, changes.frequencies ?? null],
        ...[changes.aggregations ?? null, changes.enabled ?? null],
      ],
    );
    return rows.map(toAnalyticsId)[0];
  }
}

function toAnalyticsId(row: AnalyticsIdRow): AnalyticsId {
  return {
    organizationId: row.organization_id,
    id: row.id,
    name: row.name,
    settingsIds: row.settings_ids,
    frequencies: row.frequencies,
    aggregations: row.aggregations,
    reportsFrom: row.reports_from,
    enabled: row.enabled,
    createdAt: row.created_at,
  };
}
