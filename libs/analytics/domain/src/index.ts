export {
  ANALYTICS_ID,
  type AnalyticsId,
  type AnalyticsKey,
  MAX_ANALYTICS_IDS,
  MAX_ANALYTICS_KEYS,
  MAX_SETTINGS_IDS,
  reportsFromFault,
  SETTINGS_ID,
} from './analytics-id';
export { addDays, dayOf, daysCompletedBy, firstHourOf, hourOf, hourStart } from './hours';
export {
  ACTION_TYPES,
  type ActionType,
  BANNER_TYPES,
  type BannerType,
  type Interaction,
  INTERACTION_TYPES,
  type InteractionType,
  MAX_ACTION,
  MAX_DEVICE_SERVICES,
  type ServiceDecision,
} from './interaction';
export { missingPeriods, type WantedPeriods } from './missing-periods';
export { parseShardFile, reportFolder, reportManifestFile, shardFile, shardFileBeginning } from './report-files';
export {
  describeReport,
  REPORT_COLUMNS,
  type ReportContents,
  reportFiles,
  type ReportManifest,
  type ReportManifestFile,
} from './report-manifest';
export {
  type Aggregation,
  AGGREGATIONS,
  formatReportPrefix,
  FREQUENCIES,
  type Frequency,
  lastDayMade,
  lastDayPromised,
  madeAt,
  parseReportPrefix,
  periodOf,
  periodsEnding,
  PREFIX_FORMS,
  promisedAt,
  type ReportName,
  type ReportPeriod,
} from './report-period';
