import type { Aggregation } from '@delivery/analytics/domain';
import type { ReportShard } from '@delivery/analytics/store';
import { counterSpec, gaugeSpec, histogramSpec, type Metrics, type MetricSpec } from '@delivery/platform/service';

const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800, 3600];

/** How an attempt at a report ended. `lost`: another process has it, and nothing was written about it. */
export type ReportOutcome = 'published' | 'failed' | 'released' | 'lost';

const attemptsEnded = counterSpec('analytics_report_attempts_ended_total', 'Attempts at reports, by how they ended.', [
  'aggregation',
  'outcome',
]);
const attemptSeconds = histogramSpec(
  'analytics_report_attempt_seconds',
  'How long attempts at reports took.',
  ['outcome'],
  SECONDS,
);
const rowsPublished = counterSpec('analytics_report_rows_published_total', 'Rows of reports that were published.');
const bytesPublished = counterSpec('analytics_report_bytes_published_total', 'Bytes of reports that were published.');
const reportsMaking = gaugeSpec('analytics_reports_making', 'Reports that this process makes now.');
const reportsRemoved = counterSpec('analytics_reports_removed_total', 'Reports whose files were removed by retention.');

/** All that making reports shows. */
export const reportMetricSpecs: readonly MetricSpec[] = [
  attemptsEnded,
  attemptSeconds,
  rowsPublished,
  bytesPublished,
  reportsMaking,
  reportsRemoved,
];

/** What a process tells of its reports. No label names an organization. */
export class ReportMetrics {
  constructor(private readonly metrics: Metrics) {}

  showBusy(busy: () => number): void {
    this.metrics.gaugeOf(reportsMaking, (gauge) => gauge.set(busy()));
  }

  ended(aggregation: Aggregation, outcome: ReportOutcome, seconds: number): void {
    this.metrics.counter(attemptsEnded).inc({ aggregation, outcome });
    this.metrics.histogram(attemptSeconds).observe({ outcome }, seconds);
  }

  published(shards: readonly ReportShard[]): void {
    for (const { rows, bytes } of shards) {
      this.metrics.counter(rowsPublished).inc(rows);
      this.metrics.counter(bytesPublished).inc(bytes);
    }
  }

  removed(): void {
    this.metrics.counter(reportsRemoved).inc();
  }
}
