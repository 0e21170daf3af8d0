import {
  counterSpec,
  histogramSpec,
  type Metrics,
  type MetricSpec,
  type TickObserver,
} from '@delivery/platform/service';
import type { Logger } from '@nestjs/common';

export const runsPlanned = counterSpec('export_runs_planned_total', 'Runs planned because their due time had come.');
export const planningsFailed = counterSpec('export_plannings_failed_total', 'Due runs that could not be planned.');
export const leasesExpired = counterSpec(
  'export_leases_expired_total',
  'Runs taken away from exporters that were gone.',
);
const tasksEnded = counterSpec('scheduler_tasks_ended_total', 'Calls of tasks by how they ended.', ['task', 'outcome']);
const taskSeconds = histogramSpec('scheduler_task_seconds', 'How long calls of tasks took.', ['task']);

export const schedulerMetricSpecs: readonly MetricSpec[] = [
  runsPlanned,
  planningsFailed,
  leasesExpired,
  tasksEnded,
  taskSeconds,
];

/** What the ticker tells of its tasks, as metrics and in the log. */
export function observeTicks(metrics: Metrics, logger: Logger): TickObserver {
  const ticks = metrics.counter(tasksEnded);
  const seconds = metrics.histogram(taskSeconds);
  return {
    ended: (task, outcome, took) => {
      ticks.inc({ task, outcome });
      seconds.observe({ task }, took);
    },
    failed: (task, err) => logger.warn({ err, task }, 'a task failed and will be repeated'),
  };
}
