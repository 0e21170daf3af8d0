import type { Sql } from '@delivery/platform/postgres';

/**
 * The first hour that may still be counted into, of all that is counted. Hours before it are sealed: they change no more,
 * and wait to be closed. Owns `analytics_open_hour`.
 */
export class OpenHourStore {
  /** Begins with this hour. Repeatable: whoever begins first decides. @returns the first open hour */
  async begin(tx: Sql, hour: number): Promise<number> {
    await tx.query(`INSERT INTO analytics_open_hour (hour) VALUES ($1) ON CONFLICT DO NOTHING`, [hour]);
    return this.read(tx);
  }

  /** @throws TypeError when counting has not begun. */
  async read(sql: Sql): Promise<number> {
    return openHourOf(await sql.query<{ hour: number }>('SELECT hour FROM analytics_open_hour'));
  }

  /**
   * Lets nobody seal an hour until the transaction ends: the first statement of whoever counts. Sealing queues up behind
   * those who count, and they behind it, so that neither keeps the other waiting for ever.
   * @returns the first open hour: what arrived before it is counted into it
   */
  async hold(tx: Sql): Promise<number> {
    // Two statements, the second with a snapshot that is taken when the lock is there.
    const text = 'LOCK TABLE analytics_open_hour IN SHARE MODE; SELECT hour FROM analytics_open_hour';
    return openHourOf(await tx.query<{ hour: number }>(text));
  }

  /** Opens `hour`: waits for whoever counts, and seals all before it. Never goes back. */
  async seal(tx: Sql, hour: number): Promise<void> {
    await tx.query('UPDATE analytics_open_hour SET hour = $1 WHERE hour < $1', [hour]);
  }
}

function openHourOf([row]: { hour: number }[]): number {
  if (row === undefined) throw new TypeError('the hours of analytics were not begun');
  return row.hour;
}
