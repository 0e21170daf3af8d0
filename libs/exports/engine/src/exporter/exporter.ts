import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type DestinationDriver, type DriverDeps, meterDriver } from '@delivery/destinations/driver';
import type { DestinationKind, ExportRun } from '@delivery/exports/store';
import type { Lifecycle, Metrics } from '@delivery/platform/service';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { ExecuteDeps } from '../deliver/deps';
import { executeRun } from '../deliver/execute-run';
import type { ExporterConfig } from './exporter.config';
import { type ExporterMetrics, exporterMetrics } from './exporter-metrics';
import { RunSlots } from './run-slots';

/** What an exporter is made of, beside its configuration. */
export type ExporterParts = Omit<ExecuteDeps, 'leaseSeconds' | 'retry' | 'warn' | 'openDestination'> & {
  readonly openDestination: (run: ExportRun, deps: DriverDeps) => Promise<DestinationDriver>;
};

/** Executes the runs of one kind of destination for as long as the process lives. */
export class Exporter implements OnApplicationBootstrap {
  private readonly logger = new Logger('exporter');
  /** Tells the processes apart that hold runs; a restarted one is another. */
  private readonly owner = `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`;
  private readonly slots: RunSlots;
  private readonly metrics: ExporterMetrics;
  private readonly deps: ExecuteDeps;

  constructor(
    private readonly kind: DestinationKind,
    private readonly config: ExporterConfig,
    parts: ExporterParts,
    metrics: Metrics,
    private readonly lifecycle: Lifecycle,
  ) {
    this.slots = new RunSlots({
      slots: config.parallelRuns,
      claim: () => this.claim(),
      execute: (run, options) => this.execute(run, options),
      onError: (error) => this.logger.warn({ err: error }, 'runs could not be looked for'),
    });
    this.metrics = exporterMetrics(metrics, () => this.slots.busy);
    const { maxTries, retryBaseSeconds: baseSeconds, retryCapSeconds: capSeconds } = config;
    this.deps = {
      ...parts,
      openDestination: async (run) => {
        const driver = await parts.openDestination(run, { onRetry: this.metrics.retried });
        return meterDriver(driver, this.metrics.driver);
      },
      leaseSeconds: config.leaseSeconds,
      retry: { maxTries, baseSeconds, capSeconds },
      warn: (message, fields) => this.logger.warn(fields, message),
    };
  }

  onApplicationBootstrap(): void {
    void this.slots.poll(this.config.pollSeconds);
    this.lifecycle.onStopIntake(() => this.slots.stop(), 'exporter');
  }

  /** There may be runs to execute. */
  wake(): void {
    this.slots.wake();
  }

  private claim(): Promise<ExportRun | undefined> {
    const { database, attempts } = this.deps;
    const { leaseSeconds, parallelRunsPerOrganization: perOrganization } = this.config;
    const terms = { owner: this.owner, leaseSeconds, perOrganization };
    return database.transaction((tx) => attempts.claimNext(tx, this.kind, terms));
  }

  private async execute(run: ExportRun, options: { claimedAt: number; signal: AbortSignal }): Promise<void> {
    const begin = performance.now();
    const outcome = await executeRun(this.deps, run, options);
    const seconds = (performance.now() - begin) / 1000;
    this.metrics.ended(run, outcome, seconds);
    const fields = { run: run.id, organization: run.organizationId, attempt: run.attempt, outcome, seconds };
    if (outcome !== 'completed') return void this.logger.warn(fields, 'an attempt ended without delivering its run');
    this.logger.log(fields, 'a run was delivered');
    const delivered = await this.deps.runs.find(this.deps.database, run).catch(() => undefined);
    this.metrics.delivered(delivered?.progress ?? {});
  }
}
