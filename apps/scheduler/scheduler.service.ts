import { ensureRevisionPartitions } from '@delivery/consent/store';
import { consentCommandsTopic, consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { type PlanDeps } from '@delivery/exports/engine';
import { RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { OrganizationStore } from '@delivery/integrations/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerConfig } from './app.config';
import { announceChanges, expireLeases, repeatNudges } from './tasks/keep-runs-moving';
import { planDueRuns } from './tasks/plan-due-runs';
import { type Task, Ticker, type TickObserver } from './ticker';

const HOUR_SECONDS = 3600;

/** Everything that has to happen when its time comes. Any number of schedulers may run. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  private readonly logger = new Logger('scheduler');
  private readonly runs = new RunStore();
  private readonly ticker: Ticker;

  constructor(
    private readonly config: SchedulerConfig,
    private readonly database: Database,
    private readonly kafka: KafkaConnection,
    private readonly metrics: Metrics,
    private readonly lifecycle: Lifecycle,
    health: HealthChecks,
  ) {
    this.ticker = new Ticker(this.tasks(), this.observer());
    const check = (): void => {
      const stuck = this.ticker.stuck();
      if (stuck.length > 0) throw new Error(`no end in sight: ${stuck.join(', ')}`);
    };
    health.register('tasks', check, { liveness: true });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
    this.lifecycle.onStopIntake(() => this.ticker.stop(), 'scheduler');
  }

  private tasks(): Task[] {
    const { database, runs, metrics, logger, config } = this;
    const deps = { database, runs, publisher: this.kafka.publisher(), everySeconds: config.tickSeconds };
    const planned = metrics.counter('export_runs_planned_total', 'Runs planned because their due time had come.');
    const waiting = metrics.gauge('export_runs_waiting', 'Due runs that wait for the recorder.');
    const expired = metrics.counter('export_leases_expired_total', 'Runs taken away from exporters that were gone.');
    return [
      planDueRuns({
        ...deps,
        planning: this.planning(),
        planned: () => planned.inc(),
        waiting: (count) => waiting.set(count),
        failed: ({ organizationId: organization, integrationId: integration }, err) =>
          logger.error({ err, organization, integration }, 'a due run could not be planned'),
      }),
      expireLeases({
        ...deps,
        maxTries: config.maxTries,
        expired: ({ id, organizationId, attempt }) => {
          expired.inc();
          logger.warn({ run: id, organization: organizationId, attempt }, 'a lease ran out');
        },
      }),
      repeatNudges({ ...deps, olderThanSeconds: config.nudgeSeconds }),
      announceChanges(deps),
      {
        name: 'partitions',
        everySeconds: HOUR_SECONDS,
        run: async () => void (await ensureRevisionPartitions(database)),
      },
    ];
  }

  private planning(): PlanDeps {
    const positions = new PositionStore();
    const organizations = new OrganizationStore(this.database);
    return {
      database: this.database,
      schedules: new ScheduleStore(),
      runs: this.runs,
      readPositions: (sql) => positions.readAll(sql, consentRecorderName),
      log: this.kafka,
      topics: [consentEventsTopic, consentCommandsTopic],
      readSettings: (sql, organizationId) => organizations.exportSettings(sql, organizationId),
      maxWaitSeconds: this.config.maxWaitSeconds,
    };
  }

  private observer(): TickObserver {
    const ticks = this.metrics.counter('scheduler_tasks_ended_total', 'Calls of tasks by how they ended.', [
      'task',
      'outcome',
    ]);
    const seconds = this.metrics.histogram('scheduler_task_seconds', 'How long calls of tasks took.', ['task']);
    return {
      ended: (task, outcome, took) => {
        ticks.inc({ task, outcome });
        seconds.observe({ task }, took);
      },
      failed: (task, err) => this.logger.warn({ err, task }, 'a task failed and will be repeated'),
    };
  }
}
