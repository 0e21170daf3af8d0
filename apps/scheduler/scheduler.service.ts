import { interactionRecorderName, interactionsTopic } from '@delivery/analytics/schema';
import { ensureRevisionPartitions } from '@delivery/consent/store';
import { consentCommandsTopic, consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { type PlanDeps } from '@delivery/exports/engine';
import { BacklogReadModel, RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore, RejectionStore } from '@delivery/ingest/store';
import { OrganizationStore } from '@delivery/integrations/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, isWedged, Lifecycle, Metrics, type Task, Ticker } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerConfig } from './app.config';
import { leasesExpired, observeTicks, planningsFailed, runsPlanned } from './scheduler-metrics';
import { BacklogGauges } from './tasks/backlog-gauges';
import { announceChanges, expireLeases, repeatNudges } from './tasks/keep-runs-moving';
import { planDueRuns } from './tasks/plan-due-runs';
import { readBacklog } from './tasks/read-backlog';
import { reportTasks } from './tasks/report-tasks';

const HOUR_SECONDS = 3600;
/** Within the time that a probe is answered in. */
const DEPENDENCY_MS = 1_500;

/** Everything that has to happen when its time comes. Any number of schedulers may run. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  private readonly logger = new Logger('scheduler');
  private readonly runs = new RunStore();
  private readonly positions = new PositionStore();
  private readonly ticker: Ticker;

  constructor(
    private readonly config: SchedulerConfig,
    private readonly database: Database,
    private readonly kafka: KafkaConnection,
    private readonly metrics: Metrics,
    private readonly lifecycle: Lifecycle,
    health: HealthChecks,
  ) {
    this.ticker = new Ticker(this.tasks(), observeTicks(metrics, this.logger));
    health.register('tasks', () => {
      const stalled = this.ticker.stalled(config.stalledSeconds);
      if (stalled.length > 0) throw new Error(stalled.join(' '));
    });
    health.register('ticker', () => this.assertAlive(), { liveness: true });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
    this.lifecycle.onStopIntake(() => this.ticker.stop(), 'scheduler');
  }

  private async assertAlive(): Promise<void> {
    const stuck = this.ticker.stuck();
    const dependencies = () => Promise.all([this.database.query('SELECT 1'), this.kafka.clusterId()]);
    if (await isWedged(stuck, dependencies, DEPENDENCY_MS)) throw new Error(`no end in sight: ${stuck.join(', ')}`);
  }

  private tasks(): Task[] {
    const { database, runs, metrics, logger, config } = this;
    const deps = { database, runs, publisher: this.kafka.publisher(), everySeconds: config.tickSeconds };
    const planned = metrics.counter(runsPlanned);
    const unplanned = metrics.counter(planningsFailed);
    const expired = metrics.counter(leasesExpired);
    return [
      planDueRuns({
        ...deps,
        planning: this.planning(),
        planned: () => planned.inc(),
        failed: ({ organizationId: organization, integrationId: integration }, err) => {
          unplanned.inc();
          logger.error({ err, organization, integration }, 'a due run could not be planned');
        },
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
      readBacklog({
        database,
        log: this.kafka,
        backlog: new BacklogReadModel(),
        rejections: new RejectionStore(),
        readPositions: async (sql) => [
          ...(await this.positions.readAll(sql, consentRecorderName)),
          ...(await this.positions.readAll(sql, interactionRecorderName)),
        ],
        topics: [consentEventsTopic, consentCommandsTopic, interactionsTopic],
        gauges: new BacklogGauges(metrics),
        everySeconds: config.backlogSeconds,
      }),
      ...reportTasks({ config: config.reports, database, publisher: deps.publisher, metrics }),
      {
        name: 'partitions',
        everySeconds: HOUR_SECONDS,
        run: async () => void (await ensureRevisionPartitions(database)),
      },
    ];
  }

  private planning(): PlanDeps {
    const organizations = new OrganizationStore(this.database);
    return {
      database: this.database,
      schedules: new ScheduleStore(),
      runs: this.runs,
      positions: this.positions,
      log: this.kafka,
      readSettings: (sql, organizationId) => organizations.exportSettings(sql, organizationId),
      maxWaitSeconds: this.config.maxWaitSeconds,
    };
  }
}
