import { AnalyticsRoles1700000050000 } from './migrations/1700000050000-analytics-roles';
import { Rollups1700000050100 } from './migrations/1700000050100-rollups';
import { Reports1700000050200 } from './migrations/1700000050200-reports';
import { AccessEnds1700000050350 } from './migrations/1700000050350-access-ends';

export { type ClosedRows, closeHours, type ClosingHours } from './close-hours';
export { type ConsentPartition, ConsentRollupStore, type CountedConsents } from './consent-rollup.store';
export { offsetsBehind, type RecordedEpoch } from './consent-range';
export type { InteractionToRecord } from './interaction';
export { OpenHourStore } from './open-hour.store';
export { type RecordedInteractions, recordInteractions } from './record-interactions';
export { type ClaimSweep, planClaimSweep, sweepClaims } from './sweep-claims';
export {
  type Report,
  REPORT_STATUSES,
  type ReportKey,
  type ReportPlan,
  type ReportShard,
  type ReportStatus,
} from './report';
export { type LateReport, type ReportBacklog, ReportBacklogReadModel } from './report-backlog.read-model';
export { ReportPlanStore, type ReportTerms, type ReportWish } from './report-plan.store';
export { AnalyticsIdStore, type AnalyticsIdChanges, type NewAnalyticsId } from './analytics-id.store';
export { AnalyticsKeyStore, type NewAnalyticsKey } from './analytics-key.store';
export { type AccessEnd, type AccessKind, type DownloadAccess, DownloadAccessStore } from './download-access.store';
export { DownloadReadModel, type Grant } from './download.read-model';
export { removeDownloadAccess } from './remove-download-access';
export { readReportRows } from './report-rows';
export { type ReportAttempt, type ReportFilter, type ReportHold, ReportStore } from './report.store';

export const entities: never[] = [];
export const migrations = [
  AnalyticsRoles1700000050000,
  Rollups1700000050100,
  Reports1700000050200,
  AccessEnds1700000050350,
];
