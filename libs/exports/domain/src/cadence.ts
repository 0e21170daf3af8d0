import { ExportFault } from './errors';

const DAY_MS = 86_400_000;

/** Due times: `anchorAt`, and every `everyDays` days of 24 hours after it, in UTC. */
export interface Cadence {
  readonly anchorAt: Date;
  readonly everyDays: number;
}

/** The first due time of an integration is 24 hours after its creation (contracts.md §1.3). */
export function makeCadence(createdAt: Date, everyDays: number): Cadence {
  if (!Number.isInteger(everyDays) || everyDays < 1) {
    throw new ExportFault('invalid_cadence', 'The frequency must be a whole number of days from 1.');
  }
  return { anchorAt: new Date(createdAt.getTime() + DAY_MS), everyDays };
}

/** The first due time that lies after `after`. */
export function nextDue({ anchorAt, everyDays }: Cadence, after: Date): Date {
  const periodMs = everyDays * DAY_MS;
  const passed = Math.floor((after.getTime() - anchorAt.getTime()) / periodMs) + 1;
  return new Date(anchorAt.getTime() + Math.max(0, passed) * periodMs);
}

/** The due times in `[from, upTo]`, ascending: `from` is a due time that has not been planned yet. */
export function dueTimesBetween(cadence: Cadence, from: Date, upTo: Date): Date[] {
  const times: Date[] = [];
  const justBefore = new Date(from.getTime() - 1);
  for (let due = nextDue(cadence, justBefore); due.getTime() <= upTo.getTime(); due = nextDue(cadence, due)) {
    times.push(due);
  }
  return times;
}

/** The UTC day of a time, `YYYY-MM-DD`: the value of the `date` partition (contracts.md D-5). */
export function utcDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}
