export {
  openReportStore,
  type FileReportStore,
  type GcsReportStore,
  reportObjectKey,
  type ReportStoreOpeners,
  type S3ReportStore,
} from './open-report-store';
export { REPORT_STORE_KINDS, ReportStoreConfig, type ReportStoreKind } from './report-store.config';
