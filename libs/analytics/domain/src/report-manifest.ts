import { reportManifestFile, shardFile } from './report-files';
import { type Aggregation, formatReportPrefix, type Frequency, type ReportName } from './report-period';

/** The columns of a report's files, in order (contracts.md U-6). */
export const REPORT_COLUMNS: Readonly<Record<Aggregation, readonly string[]>> = {
  interaction: ['date', 'settingsId', 'eventType', 'platform', 'browser', 'country', 'count'],
  granular: ['date', 'settingsId', 'templateId', 'dataProcessingService', 'action', 'actionType', 'consent', 'count'],
};

// Type aliases rather than interfaces: only those are assignable to JSON values, so nothing has to be cast to be signed.
export type ReportManifestFile = {
  name: string;
  bytes: number;
  /** Without the header. */
  rows: number;
  /** Lower case hexadecimal. */
  sha256: string;
};

export type ReportManifest = {
  manifest_version: 1;
  organization_id: string;
  analytics_id: string;
  /** The report's name, such as `granular-2022-04-04-2022-04-10`. */
  report: string;
  aggregation: Aggregation;
  frequency: Frequency;
  first_day: string;
  last_day: string;
  settings_ids: string[];
  /** Of the columns. */
  schema_version: 1;
  columns: string[];
  files: ReportManifestFile[];
  totals: { files: number; bytes: number; rows: number };
};

/** What is beside the name of a report in its manifest. */
export interface ReportContents extends ReportName {
  readonly organizationId: string;
  readonly analyticsId: string;
  readonly settingsIds: readonly string[];
}

/** Says nothing of when and by whom the report was made: made again, it has the same bytes. */
export function describeReport(
  report: ReportContents,
  shards: readonly { bytes: number; rows: number; sha256: string }[],
): ReportManifest {
  const prefix = formatReportPrefix(report);
  const files = shards.map(({ bytes, rows, sha256 }, n) => ({ name: shardFile(prefix, n), bytes, rows, sha256 }));
  const sum = (value: (file: ReportManifestFile) => number): number =>
    files.reduce((all, file) => all + value(file), 0);
  return {
    manifest_version: 1,
    organization_id: report.organizationId,
    analytics_id: report.analyticsId,
    report: prefix,
    aggregation: report.aggregation,
    frequency: report.frequency,
    first_day: report.firstDay,
    last_day: report.lastDay,
    settings_ids: [...report.settingsIds],
    schema_version: 1,
    columns: [...REPORT_COLUMNS[report.aggregation]],
    files,
    totals: { files: files.length, bytes: sum(({ bytes }) => bytes), rows: sum(({ rows }) => rows) },
  };
}

/** All objects of a report in the store, the manifest first. */
export function reportFiles(prefix: string, shards: number): string[] {
  return [reportManifestFile(prefix), ...Array.from({ length: shards }, (_, n) => shardFile(prefix, n))];
}
