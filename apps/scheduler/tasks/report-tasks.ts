import { hoursName } from '@delivery/analytics/schema';
import { removeDownloadAccess, ReportBacklogReadModel, ReportPlanStore } from '@delivery/analytics/store';
import { databaseNow } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import type { Publisher } from '@delivery/platform/kafka';
import type { Database, Sql } from '@delivery/platform/postgres';
import type { Metrics, Task } from '@delivery/platform/service';
import type { ReportPlanConfig } from '../report-plan.config';
import { planReports } from './plan-reports';
import { ReportGauges } from './report-gauges';

const HOUR_SECONDS = 3600;
/** Rows removed by one statement. */
const LIMIT = 10_000;

export interface ReportTaskDeps {
  readonly config: ReportPlanConfig;
  readonly database: Database;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
}

/** Everything about reports that has to happen when its time comes. */
export function reportTasks({ config, database, publisher, metrics }: ReportTaskDeps): Task[] {
  const positions = new PositionStore();
  const nextHour = async (sql: Sql): Promise<number | undefined> => {
    const position = await positions.find(sql, hoursName, hoursName, 0);
    return position && Number(position.nextOffset);
  };
  const plan = planReports({
    database,
    plans: new ReportPlanStore(),
    backlog: new ReportBacklogReadModel(),
    now: databaseNow,
    nextHour,
    terms: config,
    publisher,
    gauges: new ReportGauges(metrics),
    everySeconds: config.everySeconds,
  });
  return [plan, forgetDownloads(database, config.accessRetentionDays)];
}

/** Removes what is too old of the log of downloads. */
function forgetDownloads(database: Database, days: number): Task {
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await removeDownloadAccess(database, { days, limit: LIMIT })) === LIMIT);
  };
  return { name: 'download-access', everySeconds: HOUR_SECONDS, run };
}
