import type { DriverObserver, RetryEvent } from '@delivery/destinations/driver';
import type { ExportRun, RunProgress } from '@delivery/exports/store';
import type { Metrics } from '@delivery/platform/service';
import type { AttemptOutcome } from '../deliver/deps';

const RUN_SECONDS = [0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800, 3600, 4 * 3600];

/** What an exporter tells of its work. No label names an organization. */
export interface ExporterMetrics {
  readonly driver: DriverObserver;
  readonly retried: (event: RetryEvent) => void;
  ended(run: ExportRun, outcome: AttemptOutcome, seconds: number): void;
  delivered(progress: Partial<RunProgress>): void;
}

export function exporterMetrics(metrics: Metrics, busy: () => number): ExporterMetrics {
  const attempts = metrics.counter('export_attempts_ended_total', 'Attempts by how they ended.', [
    'content',
    'outcome',
  ]);
  const seconds = metrics.histogram('export_attempt_seconds', 'How long attempts took.', ['outcome'], RUN_SECONDS);
  const rows = metrics.counter('export_rows_delivered_total', 'Lines of completed runs.');
  const events = metrics.counter('export_events_delivered_total', 'Events of completed runs.');
  const bytes = metrics.counter('destination_bytes_delivered_total', 'Bytes of objects that became visible.', ['kind']);
  const calls = metrics.histogram(
    'destination_call_seconds',
    'How long calls of the destination took, retries included.',
    ['kind', 'operation', 'outcome'],
  );
  const retries = metrics.counter('destination_retries_total', 'Requests that were sent again.', ['operation', 'code']);
  const slots = metrics.gauge('export_runs_executing', 'Runs that this process executes now.');
  // Asked when it is read, so that it cannot drift from what is.
  Object.assign(slots, { collect: () => slots.set(busy()) });
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
      rows.inc(progress.rows ?? 0);
      events.inc(progress.events ?? 0);
    },
  };
}
