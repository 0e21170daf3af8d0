import { addDays } from './hours';
import { type Aggregation, type Frequency, isDay } from './report-period';

/** What an analytics id may be: it stands in URLs, and in keys of the report store. */
export const ANALYTICS_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Reports name rows by it: nothing that a path, a spreadsheet or a quotation would take for its own. */
export const SETTINGS_ID = /^[A-Za-z0-9_.-]{1,64}$/;

/** Of one analytics id. */
export const MAX_SETTINGS_IDS = 1000;
/** Of one organization. */
export const MAX_ANALYTICS_IDS = 100;
/** Of one analytics id. */
export const MAX_ANALYTICS_KEYS = 20;
/** How far back, and ahead, the first report may be: each day before today is a report to be made at once. */
const MAX_DAYS_BACK = 800;
const MAX_DAYS_AHEAD = 366;

/**
 * What is wrong with a first day of reports, as a sentence without subject; undefined for a good one.
 * @param today - UTC, `YYYY-MM-DD`
 */
export function reportsFromFault(day: string, today: string): string | undefined {
  if (!isDay(day)) return 'must be a day that exists, YYYY-MM-DD';
  const [earliest, latest] = [addDays(today, -MAX_DAYS_BACK), addDays(today, MAX_DAYS_AHEAD)];
  return day >= earliest && day <= latest ? undefined : `must be a day from ${earliest} to ${latest}`;
}

/** A group of settings ids whose reports are made and downloaded together (contracts.md §2.1). */
export interface AnalyticsId {
  readonly organizationId: string;
  readonly id: string;
  readonly name: string;
  readonly settingsIds: readonly string[];
  readonly frequencies: readonly Frequency[];
  readonly aggregations: readonly Aggregation[];
  /** Periods that end before this day have no report, `YYYY-MM-DD`. */
  readonly reportsFrom: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
}

/** A key that reports of one analytics id are downloaded with. Its secret exists only at its creation. */
export interface AnalyticsKey {
  readonly organizationId: string;
  readonly id: string;
  readonly analyticsId: string;
  readonly name: string;
  /** Undefined: all that the analytics id has. */
  readonly frequencies: readonly Frequency[] | undefined;
  readonly aggregations: readonly Aggregation[] | undefined;
  readonly enabled: boolean;
  readonly createdAt: Date;
}
