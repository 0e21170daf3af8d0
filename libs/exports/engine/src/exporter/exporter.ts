import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type DestinationDriver, type DriverDeps, meterDriver } from '@delivery/destinations/driver';
import type { DestinationKind, ExportRun, RunProgress } from '@delivery/exports/store';
import type { Sql } from '@delivery/platform/postgres';
import type { Lifecycle, Metrics } from '@delivery/platform/service';
import { inSpan, type Span, type SpanOptions } from '@delivery/platform/tracing';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { AttemptOutcome, ExecuteDeps } from '../deliver/deps';
import { describeWindow } from '../deliver/describe-window';
import { executeRun, type ExecuteOptions } from '../deliver/execute-run';
import type { ExporterConfig } from './exporter.config';
import { ClaimWatch } from './claim-watch';
import { type ExporterMetrics, exporterMetrics } from './exporter-metrics';
import { RunSlots } from './run-slots';
import { traceDriver } from './trace-driver';

/** What an exporter is made of, beside its configuration. */
export type ExporterParts = Omit<ExecuteDeps, 'leaseSeconds' | 'retry' | 'warn' | 'delivered' | 'openDestination'> & {
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
  private readonly watch: ClaimWatch;

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
    this.metrics = exporterMetrics(metrics, config.parallelRuns, () => this.slots.busy);
    this.watch = new ClaimWatch(config.unclaimedSeconds);
    const { maxTries, retryBaseSeconds: baseSeconds, retryCapSeconds: capSeconds } = config;
    this.deps = {
      ...parts,
      openDestination: async (run) => {
        const driver = await parts.openDestination(run, { onRetry: this.metrics.retried });
        return traceDriver(meterDriver(driver, this.metrics.driver));
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

  /** A sentence when a run lies that this exporter could claim; see {@link ClaimWatch}. */
  async fault(): Promise<string | undefined> {
    const { database, attempts } = this.deps;
    const { leaseSeconds, parallelRuns, parallelRunsPerOrganization: perOrganization } = this.config;
    if (this.slots.busy >= parallelRuns || (await this.isHeld(database))) return this.watch.look(undefined);
    const [next] = await attempts.listClaimable(database, this.kind, { leaseSeconds, perOrganization }, 1);
    return this.watch.look(next);
  }

  private claim(): Promise<ExportRun | undefined> {
    const { database, attempts } = this.deps;
    const { leaseSeconds, parallelRunsPerOrganization: perOrganization } = this.config;
    const terms = { owner: this.owner, leaseSeconds, perOrganization };
    return database.transaction(async (tx) => {
      if (await this.isHeld(tx)) return undefined;
      return attempts.claimNext(tx, this.kind, terms);
    });
  }

  /** A database that went back does not know what was delivered since. */
  private async isHeld(sql: Sql): Promise<boolean> {
    return this.deps.positions.isHeld(sql);
  }

  private async execute(run: ExportRun, options: { claimedAt: number; signal: AbortSignal }): Promise<void> {
    const begin = performance.now();
    const outcome = await inSpan(
      'deliver run',
      () => describeAttempt(run),
      (span) => this.attempt(run, options, span),
    );
    const seconds = (performance.now() - begin) / 1000;
    this.metrics.ended(run, outcome, seconds);
    const fields = { run: run.id, organization: run.organizationId, attempt: run.attempt, outcome, seconds };
    if (outcome !== 'completed') return void this.logger.warn(fields, 'an attempt ended without delivering its run');
    this.logger.log(fields, 'a run was delivered');
  }

  private async attempt(run: ExportRun, options: ExecuteOptions, span: Span): Promise<AttemptOutcome> {
    const delivered = (progress: RunProgress): void => {
      this.metrics.delivered(progress);
      const { files, rows, events, bytes } = progress;
      const counts = { files, rows, events, bytes };
      for (const [name, count] of Object.entries(counts)) span.set({ [`delivery.${name}`]: count });
    };
    const outcome = await executeRun({ ...this.deps, delivered }, run, options);
    span.set({ 'delivery.outcome': outcome });
    return outcome;
  }
}

/** Hours after it was planned, and in the same trace. */
function describeAttempt(run: ExportRun): SpanOptions {
  return {
    kind: 'consumer',
    parent: run.traceparent,
    root: run.traceparent === undefined,
    attributes: {
      'delivery.run': run.id,
      'delivery.attempt': run.attempt,
      'delivery.organization': run.organizationId,
      'delivery.integration': run.integrationId,
      'delivery.complete_until': run.completeUntil?.toISOString(),
      ...describeWindow(run.window),
    },
  };
}
