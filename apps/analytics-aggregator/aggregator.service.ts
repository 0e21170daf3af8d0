import { ConsentRollupStore } from '@delivery/analytics/store';
import { PositionStore } from '@delivery/ingest/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, isWedged, Lifecycle, type Task, Ticker } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AggregatorConfig } from './aggregator.config';
import { AggregatorMetrics } from './aggregator-metrics';
import { type Closed, closeOverHours } from './closing/close-hours';
import { ClosingWatch } from './closing/closing-watch';
import { sweepOldClaims } from './closing/sweep-claims';
import { rollUpConsents } from './consents/roll-up-consents';

/** A day of ten million devices takes ten minutes (ADR 14); discs may be slower. */
const CLOSING_SECONDS = 3600;
/** Within the time that a probe is answered in. */
const DEPENDENCY_MS = 1_500;

/** What has to be done beside recording: counting consents, closing hours, forgetting ids. Any number of aggregators may. */
@Injectable()
export class AggregatorService implements OnApplicationBootstrap {
  private readonly logger = new Logger('aggregator');
  private readonly watch: ClosingWatch;
  private readonly ticker: Ticker;

  constructor(
    private readonly config: AggregatorConfig,
    private readonly database: Database,
    private readonly kafka: KafkaConnection,
    private readonly metrics: AggregatorMetrics,
    private readonly lifecycle: Lifecycle,
    health: HealthChecks,
  ) {
    this.watch = new ClosingWatch(config.lateSeconds);
    this.ticker = new Ticker(this.tasks(), metrics.observeTasks(this.logger));
    health.register('tasks', () => {
      const stalled = this.ticker.stalled(config.stalledSeconds);
      if (stalled.length > 0) throw new Error(stalled.join(' '));
    });
    health.register('closing', () => {
      const fault = this.watch.fault();
      if (fault !== undefined) throw new Error(fault);
    });
    health.register('ticker', () => this.assertAlive(), { liveness: true });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
    this.lifecycle.onStopIntake(() => this.ticker.stop(), 'aggregator');
  }

  private async assertAlive(): Promise<void> {
    const stuck = this.ticker.stuck();
    const dependencies = () => Promise.all([this.database.query('SELECT 1'), this.kafka.clusterId()]);
    if (await isWedged(stuck, dependencies, DEPENDENCY_MS)) throw new Error(`no end in sight: ${stuck.join(', ')}`);
  }

  private tasks(): Task[] {
    const { database, metrics } = this;
    const consents = new ConsentRollupStore();
    return [
      rollUpConsents({
        database,
        consents,
        everySeconds: this.config.consentsSeconds,
        counted: (done) => metrics.counted(done),
        seen: (partitions) => metrics.seen(partitions),
      }),
      this.closing(consents),
      sweepOldClaims(database),
    ];
  }

  private closing(consents: ConsentRollupStore): Task {
    const { database, kafka: log, metrics } = this;
    const positions = new PositionStore();
    const { graceSeconds } = this.config;
    const closed = (done: Closed): void => {
      metrics.closed(done);
      this.logger.log(done, 'hours were closed');
    };
    const run = async (): Promise<void> => {
      try {
        const state = await closeOverHours({ database, log, positions, consents, graceSeconds, closed });
        this.watch.look(state);
        metrics.looked(state);
      } catch (error) {
        metrics.forgetClosing();
        throw error;
      }
    };
    return { name: 'closing', everySeconds: this.config.closingSeconds, callSeconds: CLOSING_SECONDS, run };
  }
}
