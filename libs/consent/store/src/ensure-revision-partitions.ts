import type { Sql } from '@delivery/platform/postgres';

/**
 * Makes the monthly partitions of the revisions from this month on that do not exist yet. Repeatable.
 * @returns how many were made.
 */
export async function ensureRevisionPartitions(sql: Sql, months = 3): Promise<number> {
  const [row] = await sql.query<{ made: number }>(
    `SELECT consent_ensure_revision_partitions((now() AT TIME ZONE 'UTC')::date, $1) AS made`,
    [months],
  );
  return row?.made ?? 0;
}
