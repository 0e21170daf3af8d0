import type { Sql } from '@delivery/platform/postgres';

/** The time that schedules, leases and retries are judged by: Postgres's clock, never this host's. */
export async function databaseNow(sql: Sql): Promise<Date> {
  const [row] = await sql.query<{ now: Date }>('SELECT delivery_now() AS now');
  if (row === undefined) throw new TypeError('Postgres returned no time');
  return row.now;
}
