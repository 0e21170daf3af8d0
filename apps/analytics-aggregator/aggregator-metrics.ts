import { type ConsentPartition, type CountedConsents, offsetsBehind } from '@delivery/analytics/store';
import {
  counterSpec,
  gaugeSpec,
  histogramSpec,
  type Metrics,
  type MetricSpec,
  type TickObserver,
} from '@delivery/platform/service';
import type { Logger } from '@nestjs/common';
import type { Closed, ClosingState } from './closing/close-hours';

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 180, 600, 1800];

const consentsCounted = counterSpec('analytics_consents_counted_total', 'Consents that were counted, when committed.');
export const countedLate = counterSpec(
  'analytics_counted_late_total',
  'Interactions and consents that were counted in a later hour than that of their arrival, which was sealed.',
  ['kind'],
);
const consentsBehind = gaugeSpec(
  'analytics_consents_behind_messages',
  'Messages of the consent topics that are recorded and not counted, over all partitions.',
);
const hoursClosed = counterSpec('analytics_hours_closed_total', 'Hours that this process closed.');
const rowsClosed = counterSpec(
  'analytics_rollup_rows_closed_total',
  'Rows that this process made final: hourly metrics, and counts of days.',
  ['rollup'],
);
const closingSeconds = histogramSpec(
  'analytics_closing_seconds',
  'How long it took to close hours that were over, up to 24 at once.',
  [],
  SECONDS,
);
const closingBehind = gaugeSpec(
  'analytics_closing_behind_seconds',
  'Since the first hour ended that is not closed; 0 when none is over. After each hour the grace and a few seconds are ordinary.',
);
const tasksEnded = counterSpec('analytics_tasks_ended_total', 'Calls of tasks by how they ended.', ['task', 'outcome']);

export const aggregatorMetricSpecs: readonly MetricSpec[] = [
  consentsCounted,
  countedLate,
  consentsBehind,
  hoursClosed,
  rowsClosed,
  closingSeconds,
  closingBehind,
  tasksEnded,
];

/** What an aggregator tells of its work. */
export class AggregatorMetrics {
  constructor(private readonly metrics: Metrics) {
    this.forgetClosing();
  }

  counted({ consents, late }: CountedConsents): void {
    this.metrics.counter(consentsCounted).inc(consents);
    this.metrics.counter(countedLate).inc({ kind: 'consents' }, late);
  }

  seen(partitions: readonly ConsentPartition[]): void {
    const behind = partitions.reduce((sum, { epochs, place }) => sum + offsetsBehind(epochs, place), 0n);
    this.metrics.gauge(consentsBehind).set(Number(behind));
  }

  closed({ hours, seconds, rows }: Closed): void {
    this.metrics.counter(hoursClosed).inc(hours);
    for (const [rollup, count] of Object.entries(rows)) this.metrics.counter(rowsClosed).inc({ rollup }, count);
    this.metrics.histogram(closingSeconds).observe(seconds);
  }

  looked({ behindSeconds }: ClosingState): void {
    this.metrics.gauge(closingBehind).set(behindSeconds);
  }

  /** Shows no number until it is read again: 0 would say that nothing is late. */
  forgetClosing(): void {
    this.metrics.gauge(closingBehind).set(Number.NaN);
  }

  observeTasks(logger: Logger): TickObserver {
    const ended = this.metrics.counter(tasksEnded);
    return {
      ended: (task, outcome) => ended.inc({ task, outcome }),
      failed: (task, err) => logger.warn({ err, task }, 'a task failed and will be repeated'),
    };
  }
}
