import { PositionStore } from '@delivery/ingest/store';
import { setTimeout as delay } from 'node:timers/promises';
import { createKey, createOrganization, withDatabase } from '../admin';
import type { StackEnvironment } from '../stack';

/** A new organization with an API key of its own. */
export function newOrganization(environment: StackEnvironment, id: string): Promise<{ id: string; secret: string }> {
  return withDatabase(environment, async (database) => {
    await createOrganization(database, { id, name: 'Demo' });
    return createKey(database, id, { name: 'demo' });
  });
}

export interface Recorded {
  recorded: number;
  duplicates: number;
  rejected: number;
  next: Map<number, bigint>;
}

/** What the recorder's own counters say now. */
export function recordedSoFar(environment: StackEnvironment): Promise<Recorded> {
  return withDatabase(environment, async (database) => {
    const positions = (await new PositionStore().readAll(database, 'consent')).filter(
      (p) => p.topic === 'consent.events.v1',
    );
    const sum = (of: 'recorded' | 'duplicates' | 'rejected') =>
      positions.reduce((total, p) => total + Number(p[of]), 0);
    return {
      recorded: sum('recorded'),
      duplicates: sum('duplicates'),
      rejected: sum('rejected'),
      next: new Map(positions.map((p) => [p.partition, p.nextOffset])),
    };
  });
}

/** Waits until the recorder has passed these ends of the log. */
export async function untilRecorded(
  environment: StackEnvironment,
  ends: ReadonlyMap<number, bigint>,
): Promise<Recorded> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const now = await recordedSoFar(environment);
    if ([...ends].every(([partition, end]) => (now.next.get(partition) ?? 0n) >= end)) return now;
    if (Date.now() > deadline)
      throw new Error(
        'The recorder has not come to the end of the log in two minutes; see .stack/logs/consent-ingest.log.',
      );
    await delay(100);
  }
}

/** Why messages were rejected since these places, with how many of each. */
export function rejectionReasons(
  environment: StackEnvironment,
  from: ReadonlyMap<number, bigint>,
): Promise<Record<string, number>> {
  return withDatabase(environment, async (database) => {
    const rows = await database.query<{ code: string; count: number }>(
      `SELECT r.reasons->0->>'code' AS code, count(*)::int AS count
       FROM ingest_rejection r JOIN unnest($1::int[], $2::bigint[]) AS f(partition, log_offset)
         ON r.partition = f.partition AND r.log_offset >= f.log_offset
       WHERE r.topic_id = 1 GROUP BY 1 ORDER BY 1`,
      [[...from.keys()], [...from.values()].map(String)],
    );
    return Object.fromEntries(rows.map(({ code, count }) => [code, count]));
  });
}
