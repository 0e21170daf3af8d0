import { daysCompletedBy, hourOf, hourStart } from '@delivery/analytics/domain';
import { hoursName } from '@delivery/analytics/schema';
import { closeHours, type ClosedRows, type ConsentRollupStore, OpenHourStore } from '@delivery/analytics/store';
import type { LogReader } from '@delivery/exports/engine';
import { databaseNow } from '@delivery/exports/store';
import type { PositionStore } from '@delivery/ingest/store';
import type { Database, Sql } from '@delivery/platform/postgres';
import { hourTarget, waitingFor } from './hour-readiness';

/** Of one transaction. */
const MAX_HOURS = 24;

export interface ClosingDeps {
  readonly database: Database;
  readonly log: LogReader;
  readonly positions: PositionStore;
  readonly consents: ConsentRollupStore;
  /** For so long after its end a broker, whose clock is its own, may still take messages into an hour. */
  readonly graceSeconds: number;
  /** Told of what was committed. */
  closed(done: Closed): void;
}

/** What one transaction closed. */
export interface Closed {
  readonly hours: number;
  readonly seconds: number;
  readonly rows: ClosedRows;
}

/** How far closing is, as one look found it. */
export interface ClosingState {
  /** The first hour that is not closed. */
  readonly nextHour: number;
  /** Since that hour ended, by the clock of Postgres; 0 while it has not. */
  readonly behindSeconds: number;
  /** Why it is not closed, if that is known. */
  readonly waitingFor: string | undefined;
}

/**
 * Closes the hours that are over and whose interactions and consents are all counted, a day of them at most. First they are
 * sealed, for which whoever counts is waited for; then what was counted in them is made final, however long that takes,
 * while counting goes on in later ones. Any number of aggregators may do it, and be killed while they do.
 */
export async function closeOverHours(deps: ClosingDeps): Promise<ClosingState> {
  const waiting = await sealOverHours(deps);
  await closeSealed(deps);
  const position = await deps.positions.find(deps.database, hoursName, hoursName, 0);
  const nextHour = Number(position?.nextOffset ?? 0n);
  const behindMs = (await databaseNow(deps.database)).getTime() - hourStart(nextHour + 1).getTime();
  return { nextHour, behindSeconds: Math.max(0, behindMs / 1000), waitingFor: waiting };
}

/** @returns what is waited for when hours are over that cannot be sealed */
async function sealOverHours({ database, log, graceSeconds, ...stores }: ClosingDeps): Promise<string | undefined> {
  const openHour = new OpenHourStore();
  const open = await openHour.read(database);
  const over = hourOf(new Date((await databaseNow(database)).getTime() - graceSeconds * 1000));
  let latest: string | undefined;
  // After a standstill: all that is over if that is possible, else half of it, and so on.
  for (let hours = over - open; hours > 0; hours = Math.floor(hours / 2)) {
    const target = await hourTarget({ database, log, positions: stores.positions }, open + hours);
    const waiting = await database.transaction(async (tx) => {
      const words = await waitingFor(tx, stores, target);
      if (words === undefined) await openHour.seal(tx, open + hours);
      return words;
    });
    if (waiting === undefined) break;
    latest ??= waiting;
  }
  return latest;
}

async function closeSealed({ database, positions, closed }: ClosingDeps): Promise<void> {
  const began = performance.now();
  const work = async (tx: Sql): Promise<Omit<Closed, 'seconds'> | undefined> => {
    // The position of an aggregator that is gone would otherwise stay locked until the day is closed, and that be undone.
    await tx.query(`SET LOCAL client_connection_check_interval = '5s'`);
    // Whoever has it closes what there is to close.
    const position = await positions.tryLock(tx, hoursName, hoursName, 0);
    if (position === undefined || position.held) return undefined;
    const from = Number(position.nextOffset);
    const to = Math.min(await new OpenHourStore().read(tx), from + MAX_HOURS);
    if (to <= from) return undefined;
    const rows = await closeHours(tx, { from, to, days: daysCompletedBy(from, to) });
    const counted = { recorded: BigInt(to - from), duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
    await positions.advance(tx, { position, nextOffset: BigInt(to), counted });
    return { hours: to - from, rows };
  };
  // A day with many devices takes its time, and holds up nobody.
  const done = await database.transaction(work, { statementTimeoutMs: 0 });
  if (done !== undefined) closed({ ...done, seconds: (performance.now() - began) / 1000 });
}
