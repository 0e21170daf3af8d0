import { consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createKey, createOrganization, withDatabase } from '../admin';
import { stackDir, type StackEnvironment } from '../stack';

const recordTimeoutMs = 180_000;

/** A new organization with an API key of its own. */
export function newOrganization(environment: StackEnvironment, id: string): Promise<{ id: string; secret: string }> {
  return withDatabase(environment, async (database) => {
    await createOrganization(database, { id, name: 'Demo' });
    return createKey(database, id, { name: 'demo' });
  });
}

/** The recorder's own counters, and the first offset it has not recorded, per partition. */
export interface Recorded {
  recorded: number;
  duplicates: number;
  rejected: number;
  next: Map<number, bigint>;
}

/** Waits until the recorder has passed these ends of the log. */
export function untilRecorded(environment: StackEnvironment, ends: ReadonlyMap<number, bigint>): Promise<Recorded> {
  const positions = new PositionStore();
  return withDatabase(environment, async (database) => {
    for (const deadline = Date.now() + recordTimeoutMs; ; await delay(50)) {
      const all = await positions.readAll(database, consentRecorderName);
      const own = all.filter(({ topic }) => topic === consentEventsTopic);
      const next = new Map(own.map(({ partition, nextOffset }) => [partition, nextOffset]));
      if ([...ends].every(([partition, end]) => (next.get(partition) ?? 0n) >= end)) {
        const sum = (of: 'recorded' | 'duplicates' | 'rejected') =>
          own.reduce((total, each) => total + Number(each[of]), 0);
        return { recorded: sum('recorded'), duplicates: sum('duplicates'), rejected: sum('rejected'), next };
      }
      const stopped = own.find(({ status }) => status === 'stopped');
      if (stopped !== undefined) throw new Error(stopped.stoppedReason);
      if (Date.now() > deadline) {
        const log = join(stackDir(), 'logs', 'consent-ingest.log');
        throw new Error(`The recorder has not come to the end of the log in ${recordTimeoutMs / 1000} s; see ${log}.`);
      }
    }
  });
}
