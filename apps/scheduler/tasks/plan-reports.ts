import { lastDayMade, lastDayPromised, missingPeriods, promisedAt } from '@delivery/analytics/domain';
import { reportsRequested } from '@delivery/analytics/schema';
import type {
  ReportBacklogReadModel,
  ReportKey,
  ReportPlanStore,
  ReportTerms,
  ReportWish,
} from '@delivery/analytics/store';
import type { Publisher } from '@delivery/platform/kafka';
import type { Database, Sql } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';
import type { ReportGauges } from './report-gauges';

/** Reports after which a call plans no further wish; the next call goes on. */
const LIMIT = 5_000;
/** Enough to wake every process that makes reports. */
const NUDGES = 100;

export interface PlanReportsDeps {
  readonly database: Database;
  readonly plans: ReportPlanStore;
  readonly backlog: ReportBacklogReadModel;
  /** The time that reports are planned by, Postgres' own. */
  readonly now: (sql: Sql) => Promise<Date>;
  /** The first hour that is not closed; undefined while none ever was. */
  readonly nextHour: (sql: Sql) => Promise<number | undefined>;
  readonly terms: ReportTerms;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly gauges: ReportGauges;
  readonly everySeconds: number;
}

/**
 * Plans the reports whose time has come and whose hours are closed, also all that were missed, and tells who makes them.
 * Shows what is late: of reports that are not planned only this task knows.
 */
export function planReports(deps: PlanReportsDeps): Task {
  const run = async (signal: AbortSignal): Promise<void> => {
    try {
      await planAll(deps, signal);
    } catch (error) {
      // An old number would pass for the present one.
      deps.gauges.forget();
      throw error;
    }
  };
  return { name: 'reports', everySeconds: deps.everySeconds, run };
}

async function planAll(deps: PlanReportsDeps, signal: AbortSignal): Promise<void> {
  const { database, plans, backlog, gauges } = deps;
  const [now, nextHour] = [await deps.now(database), await deps.nextHour(database)];
  const wishes = await plans.listWishes(database);
  const made = nextHour === undefined ? '' : lastDayMade(now, nextHour);
  const planned: ReportKey[] = [];
  for (const wish of wishes) {
    if (signal.aborted || planned.length >= LIMIT) break;
    const missing = missingPeriods(wish, made);
    if (missing.length > 0) planned.push(...(await plans.insert(database, wish, missing, deps.terms)));
  }
  const { lateSeconds, ...open } = await backlog.read(database);
  gauges.show(open, Math.max(lateSeconds, unplannedSeconds(wishes, made, now)));
  await nudge(deps.publisher, planned.slice(0, NUDGES));
}

/** Since the first report was promised that could not be planned, because its hours are not closed. */
function unplannedSeconds(wishes: readonly ReportWish[], made: string, now: Date): number {
  const promised = wishes
    .flatMap((wish) => missingPeriods(wish, lastDayPromised(now)))
    .filter(({ lastDay }) => lastDay > made)
    .map((period) => promisedAt(period).getTime());
  // Not by spreading: there may be too many for a call.
  const first = promised.reduce((least, time) => Math.min(least, time), now.getTime());
  return (now.getTime() - first) / 1000;
}

/** Whoever makes reports looks by itself, too: a nudge that fails is not repeated. */
async function nudge(publisher: PlanReportsDeps['publisher'], reports: readonly ReportKey[]): Promise<void> {
  const messages = reports.map(({ organizationId, analyticsId, prefix }) => {
    const message = { organization_id: organizationId, analytics_id: analyticsId, prefix };
    return { key: reportsRequested.key(message), value: reportsRequested.encode(message) };
  });
  if (messages.length > 0) await publisher.publish(reportsRequested.name, messages);
}
