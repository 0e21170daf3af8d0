import type { Sql } from '@delivery/platform/postgres';

/** `links`: somebody asked for links; `file`: somebody followed one of the gateway's own. */
export type AccessKind = 'links' | 'file';

/** One request, as the organization reads it. */
export interface DownloadAccess {
  readonly organizationId: string;
  /** UUIDv7. */
  readonly id: string;
  readonly at: Date;
  readonly kind: AccessKind;
  readonly keyId: string | undefined;
  /** As it was asked for, cut to a sane length: it may be nobody's. */
  readonly analyticsId: string;
  /** The report or file that was asked for. */
  readonly file: string;
  /** Of the answer. */
  readonly status: number;
  /** Of a file, how much of it was sent; undefined until it has ended, and when nobody could tell any more. */
  readonly bytes: number | undefined;
  /** How many requests it stands for: refusals of a key within a minute are one. */
  readonly times: number;
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

/** What is known of a request only when it, or its minute, has ended. */
export type AccessEnd = Pick<DownloadAccess, 'organizationId' | 'id'> &
  Partial<Record<'bytes' | 'times', number | undefined>>;

interface AccessRow extends Record<string, unknown> {
  organization_id: string;
  id: string;
  at: Date;
  kind: AccessKind;
  key_id: string | null;
  analytics_id: string;
  file: string;
  status: number;
  bytes: string | null;
  times: number;
  address: string | null;
  user_agent: string | null;
}

/** Owns `download_access`. */
export class DownloadAccessStore {
  /** All of them or none; what is there already stays. */
  async insert(sql: Sql, accesses: readonly DownloadAccess[]): Promise<void> {
    await sql.query(
      `INSERT INTO download_access (organization_id, id, at, kind, key_id, analytics_id, file, status, bytes, address,
         user_agent, times)
       SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::int[], $9::int8[], $10::text[], $11::text[], $12::int[])
       ON CONFLICT DO NOTHING`,
      [
        accesses.map(({ organizationId }) => organizationId),
        accesses.map(({ id }) => id),
        accesses.map(({ at }) => at),
        accesses.map(({ kind }) => kind),
        accesses.map(({ keyId }) => keyId ?? null),
        accesses.map(({ analyticsId }) => analyticsId),
        accesses.map(({ file }) => file),
        accesses.map(({ status }) => status),
        accesses.map(({ bytes }) => bytes ?? null),
        accesses.map(({ address }) => address ?? null),
        accesses.map(({ userAgent }) => userAgent ?? null),
        accesses.map(({ times }) => times),
      ],
    );
  }

  /** Repeatable. */
  async complete(sql: Sql, ends: readonly AccessEnd[]): Promise<void> {
    await sql.query(
      `UPDATE download_access AS a SET bytes = coalesce(e.bytes, a.bytes), times = coalesce(e.times, a.times)
       FROM unnest($1::text[], $2::uuid[], $3::int8[], $4::int[]) AS e (organization_id, id, bytes, times)
       WHERE (a.organization_id, a.id) = (e.organization_id, e.id)`,
      [
        ends.map(({ organizationId }) => organizationId),
        ends.map(({ id }) => id),
        ends.map(({ bytes }) => bytes ?? null),
        ends.map(({ times }) => times ?? null),
      ],
    );
  }

  /** Newest first. @param before - the id of the last one of the page before */
  async page(
    sql: Sql,
    { organizationId, limit, before }: { organizationId: string; limit: number; before?: string | undefined },
  ): Promise<DownloadAccess[]> {
    const rows = await sql.query<AccessRow>(
      `SELECT * FROM download_access WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [organizationId, before ?? null, limit],
    );
    return rows.map((row) => ({
      organizationId: row.organization_id,
      id: row.id,
      at: row.at,
      kind: row.kind,
      keyId: row.key_id ?? undefined,
      analyticsId: row.analytics_id,
      file: row.file,
      status: row.status,
      bytes: row.bytes === null ? undefined : Number(row.bytes),
      times: row.times,
      address: row.address ?? undefined,
      userAgent: row.user_agent ?? undefined,
    }));
  }
}
