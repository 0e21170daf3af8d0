import type { Sql } from '@delivery/platform/postgres';

/**
 * Removes rows of the log of downloads that are older than so many days, `limit` at most.
 * @returns how many were removed
 */
export async function removeDownloadAccess(
  sql: Sql,
  { days, limit }: { days: number; limit: number },
): Promise<number> {
  const rows = await sql.query(
    `DELETE FROM download_access WHERE (organization_id, id) IN (
       SELECT organization_id, id FROM download_access WHERE at < delivery_now() - make_interval(days => $1) LIMIT $2)
     RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
