import { addDays, dayOf, firstHourOf, hourOf, hourStart } from './hours';

export const AGGREGATIONS = ['interaction', 'granular'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

export const FREQUENCIES = ['daily', 'weekly', 'monthly'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** Whole UTC days, `YYYY-MM-DD`, both inclusive. */
export interface ReportPeriod {
  readonly frequency: Frequency;
  readonly firstDay: string;
  readonly lastDay: string;
}

export interface ReportName extends ReportPeriod {
  readonly aggregation: Aggregation;
}

const MINUTE_MS = 60_000;
const HOURS_A_DAY = 24;
const LAST_DAY = '9999-12-30';
/** Reports are made at 07:30 UTC, and promised for 08:00 (contracts.md U-9). */
const MADE_MINUTES = 7 * 60 + 30;
const PROMISED_MINUTES = 8 * 60;

/** The forms of a prefix, for messages. */
export const PREFIX_FORMS =
  '{interaction|granular}-YYYY-MM-DD for a day, {interaction|granular}-YYYY-MM-DD-YYYY-MM-DD for a week from Monday to ' +
  'Sunday or a month from its first to its last day, like interaction-2022-04-01 or granular-2022-04-04-2022-04-10';

/**
 * Reads the name of a report: `interaction-2022-04-01`. Weeks and months share one form and are told apart by their span:
 * seven days from a Monday, or all days of one month; any other span is none (contracts.md U-5).
 */
export function parseReportPrefix(prefix: string): ReportName | undefined {
  const [, aggregation, firstDay = '', last] =
    /^(interaction|granular)-(\d{4}-\d{2}-\d{2})(?:-(\d{4}-\d{2}-\d{2}))?$/.exec(prefix) ?? [];
  const found = AGGREGATIONS.find((each) => each === aggregation);
  const lastDay = last ?? firstDay;
  // What is made on the day after it needs a year of four digits, too.
  if (found === undefined || !isDay(firstDay) || !isDay(lastDay) || lastDay > LAST_DAY) return undefined;
  const frequency = last === undefined ? 'daily' : frequencyOf(firstDay, lastDay);
  return frequency && { aggregation: found, frequency, firstDay, lastDay };
}

/** The name of a report, as {@link parseReportPrefix} reads it. */
export function formatReportPrefix({ aggregation, frequency, firstDay, lastDay }: ReportName): string {
  return `${aggregation}-${firstDay}${frequency === 'daily' ? '' : `-${lastDay}`}`;
}

/** The period of a frequency that a day lies in. */
export function periodOf(frequency: Frequency, day: string): ReportPeriod {
  switch (frequency) {
    case 'daily':
      return { frequency, firstDay: day, lastDay: day };
    case 'weekly': {
      const firstDay = addDays(day, -((weekday(day) + 6) % 7));
      return { frequency, firstDay, lastDay: addDays(firstDay, 6) };
    }
    case 'monthly': {
      const firstDay = `${day.slice(0, 7)}-01`;
      return { frequency, firstDay, lastDay: lastDayOfMonth(day) };
    }
  }
}

/** The periods of a frequency whose last day lies in `[from, to]`, ascending. */
export function periodsEnding(frequency: Frequency, from: string, to: string): ReportPeriod[] {
  const periods: ReportPeriod[] = [];
  for (let day = from; day <= to;) {
    const period = periodOf(frequency, day);
    if (period.lastDay > to) break;
    periods.push(period);
    day = addDays(period.lastDay, 1);
  }
  return periods;
}

/** From when on a report is made: 07:30 UTC of the day after the period. */
export function madeAt({ lastDay }: Pick<ReportPeriod, 'lastDay'>): Date {
  return nextDayAt(lastDay, MADE_MINUTES);
}

/** By when it is promised: 08:00 UTC of the day after the period. */
export function promisedAt({ lastDay }: Pick<ReportPeriod, 'lastDay'>): Date {
  return nextDayAt(lastDay, PROMISED_MINUTES);
}

/**
 * The last day of periods that may be made by now: it is 07:30 of the day after it, and all its hours are closed.
 * @param nextHour - the first hour that is not closed
 */
export function lastDayMade(now: Date, nextHour: number): string {
  const closed = addDays(dayOf(nextHour), -1);
  const due = lastDayBy(now, MADE_MINUTES);
  return closed < due ? closed : due;
}

/** The last day of periods whose reports are promised to be there by now, whatever is closed. */
export function lastDayPromised(now: Date): string {
  return lastDayBy(now, PROMISED_MINUTES);
}

/** The last day whose next one has come to so many minutes. */
function lastDayBy(now: Date, minutes: number): string {
  return addDays(dayOf(hourOf(new Date(now.getTime() - minutes * MINUTE_MS))), -1);
}

function nextDayAt(lastDay: string, minutes: number): Date {
  return new Date(hourStart(firstHourOf(lastDay) + HOURS_A_DAY).getTime() + minutes * MINUTE_MS);
}

function frequencyOf(firstDay: string, lastDay: string): Frequency | undefined {
  if (weekday(firstDay) === 1 && addDays(firstDay, 6) === lastDay) return 'weekly';
  if (firstDay.endsWith('-01') && lastDayOfMonth(firstDay) === lastDay) return 'monthly';
  return undefined;
}

/** 0 is Sunday. */
function weekday(day: string): number {
  return hourStart(firstHourOf(day)).getUTCDay();
}

function lastDayOfMonth(day: string): string {
  // Not by Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  const last = hourStart(firstHourOf(day));
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  return dayOf(hourOf(last));
}

/** Whether such a day exists, and is written as `YYYY-MM-DD`. */
export function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && dayOf(firstHourOf(day)) === day;
}
