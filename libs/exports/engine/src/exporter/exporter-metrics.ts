import type { DriverObserver, RetryEvent } from '@delivery/destinations/driver';
import type { ExportRun, RunProgress } from '@delivery/exports/store';
import { counterSpec, gaugeSpec, histogramSpec, type Metrics, type MetricSpec } from '@delivery/platform/service';
import type { AttemptOutcome } from '../deliver/deps';

const RUN_SECONDS = [0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800, 3600, 4 * 3600];

const attemptsEnded = counterSpec('export_attempts_ended_total', 'Attempts at runs, by how they ended.', [
  'content',
  'outcome',
]);
const attemptSeconds = histogramSpec('export_attempt_seconds', 'How long attempts took.', ['outcome'], RUN_SECONDS);
const rowsDelivered = counterSpec('export_rows_delivered_total', 'Lines of completed runs.');
const eventsDelivered = counterSpec('export_events_delivered_total', 'Events of completed runs.');
const bytesDelivered = counterSpec(
  'destination_bytes_delivered_total',
  'Bytes of objects that became visible, also of attempts that did not complete their run.',
  ['kind'],
);
const callSeconds = histogramSpec(
  'destination_call_seconds',
  'How long calls of the destination took, retries included.',
  ['kind', 'operation', 'outcome'],
);
const callRetries = counterSpec('destination_retries_total', 'Requests that were sent again.', ['operation', 'code']);
const runsExecuting = gaugeSpec('export_runs_executing', 'Runs that this process executes now.');
const runSlots = gaugeSpec('export_runs_limit', 'EXPORT_PARALLEL_RUNS.');

/** All that an exporter shows, beside its database and Kafka. */
export const exporterMetricSpecs: readonly MetricSpec[] = [
  attemptsEnded,
  attemptSeconds,
  rowsDelivered,
  eventsDelivered,
  bytesDelivered,
  callSeconds,
  callRetries,
  runsExecuting,
  runSlots,
];

/** What an exporter tells of its work. No label names an organization. */
export interface ExporterMetrics {
  readonly driver: DriverObserver;
  readonly retried: (event: RetryEvent) => void;
  ended(run: ExportRun, outcome: AttemptOutcome, seconds: number): void;
  delivered(progress: RunProgress): void;
}

/** @param slots - runs that may execute at once */
export function exporterMetrics(metrics: Metrics, slots: number, busy: () => number): ExporterMetrics {
  const attempts = metrics.counter(attemptsEnded);
  const seconds = metrics.histogram(attemptSeconds);
  const rows = metrics.counter(rowsDelivered);
  const events = metrics.counter(eventsDelivered);
  const bytes = metrics.counter(bytesDelivered);
  const calls = metrics.histogram(callSeconds);
  const retries = metrics.counter(callRetries);
  metrics.gauge(runSlots).set(slots);
  metrics.gaugeOf(runsExecuting, (gauge) => gauge.set(busy()));
  return {
    driver: {
      onCall: ({ kind, operation, outcome, seconds: took }) => calls.observe({ kind, operation, outcome }, took),
      onDelivered: (kind, count) => bytes.inc({ kind }, count),
    },
    retried: ({ operation, code }) => retries.inc({ operation, code }),
    ended(run, outcome, took) {
      attempts.inc({ content: run.content, outcome });
      seconds.observe({ outcome }, took);
    },
    delivered(progress) {
      rows.inc(progress.rows);
      events.inc(progress.events);
    },
  };
}
