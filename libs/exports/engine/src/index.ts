export type { Content, ContentRange, ContentRequest } from './contents/content';
export { contentOf } from './contents/registry';
export { HOURS } from './sources/closed-hours';
export type { ContentSource, PositionReader } from './sources/content-source';
export type { AttemptOutcome, ExecuteDeps } from './deliver/deps';
export { executeRun, type ExecuteOptions } from './deliver/execute-run';
export { LeaseLost, RunFault } from './errors';
export { type LogReader, logTargetAt, type LogTarget, readinessOf } from './plan/log-readiness';
export { type PlanDeps, type PlannedRun, type PlanOutcome, type PlanRequest, planRun } from './plan/plan-run';
export { findDeliveries, type FindDeps, type FoundDeliveries } from './reconcile/find-deliveries';
export { isChange, type ReconcileDeps, reconcileIntegration } from './reconcile/reconcile-integration';
export { ExporterConfig } from './exporter/exporter.config';
export { exporterMetricSpecs } from './exporter/exporter-metrics';
export { RunSlots, type RunSlotsDeps } from './exporter/run-slots';
export {
  ExporterModule,
  type ExporterOptions,
  exporterTransports,
  type OpenDestination,
} from './exporter/exporter.module';
