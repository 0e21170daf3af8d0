const HOUR_MS = 3_600_000;
const HOURS_A_DAY = 24;

/**
 * The hour of a time: whole hours since 1970-01-01T00:00Z. Hours are the positions of analytics: the first that is not
 * closed yet stands in `ingest_position`, and windows of analytics exports are ranges of them.
 */
export function hourOf(time: Date): number {
  return Math.floor(time.getTime() / HOUR_MS);
}

/** When an hour begins. */
export function hourStart(hour: number): Date {
  return new Date(hour * HOUR_MS);
}

/** The UTC day that an hour lies in, `YYYY-MM-DD`. */
export function dayOf(hour: number): string {
  return hourStart(hour).toISOString().slice(0, 10);
}

/** The first hour of a UTC day. @param day - `YYYY-MM-DD` */
export function firstHourOf(day: string): number {
  return hourOf(new Date(`${day}T00:00:00Z`));
}

/** The days whose last hour lies in `[from, to)`: those that closing these hours completes. */
export function daysCompletedBy(from: number, to: number): string[] {
  const first = Math.floor(from / HOURS_A_DAY);
  const end = Math.floor(to / HOURS_A_DAY);
  return Array.from({ length: Math.max(0, end - first) }, (_, n) => dayOf((first + n) * HOURS_A_DAY));
}

/** The day so many days later. @param day - `YYYY-MM-DD` @param days - may be negative */
export function addDays(day: string, days: number): string {
  return dayOf(firstHourOf(day) + days * HOURS_A_DAY);
}
