import { addDays } from './hours';
import { type Frequency, periodsEnding, type ReportPeriod } from './report-period';

/** Reports of one frequency that somebody wants, and how far they are planned. */
export interface WantedPeriods {
  readonly frequency: Frequency;
  /** Periods that end before this day are not wanted, `YYYY-MM-DD`. */
  readonly reportsFrom: string;
  /** The last days of the first and the last period that is planned; every one between them is, too. */
  readonly planned: { readonly first: string; readonly last: string } | undefined;
}

/**
 * The periods that end on `to` at the latest and are not planned yet: those after the planned ones ascending, then those
 * before them descending, so that the first so many of them leave no gap. For the same reason none is left out after
 * what is planned, also when `reportsFrom` was moved forward since.
 */
export function missingPeriods({ frequency, reportsFrom, planned }: WantedPeriods, to: string): ReportPeriod[] {
  if (planned === undefined) return periodsEnding(frequency, reportsFrom, to);
  if (to < planned.last) return [];
  const after = periodsEnding(frequency, addDays(planned.last, 1), to);
  return [...after, ...periodsEnding(frequency, reportsFrom, addDays(planned.first, -1)).reverse()];
}
