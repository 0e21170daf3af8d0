export { AttemptStore, type Attempt, type ClaimOptions, type Hold } from './attempt.store';
export { type Backlog, BacklogReadModel, type Lateness, type OpenRuns } from './backlog.read-model';
export { databaseNow } from './clock';
export { type DeliveredManifest, ReconciliationStore } from './reconciliation.store';
export type { ExportRun, RunProgress, StoredUpload } from './run';
export { RunLogReadModel, type RunLog, type RunLogPage, type WaitingRun } from './run-log.read-model';
export { RunStore, type NewRun, type RunKey } from './run.store';
export type { DestinationKind, IntegrationKey, Schedule } from './schedule';
export { ScheduleStore, type NewSchedule, type PlannedMove } from './schedule.store';

import { Exports1700000030000 } from './migrations/1700000030000-exports';
import { RunTrace1700000030100 } from './migrations/1700000030100-run-trace';

export const entities: never[] = [];
export const migrations = [Exports1700000030000, RunTrace1700000030100];
