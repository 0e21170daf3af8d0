import { setTimeout as delay } from 'node:timers/promises';
import type { Report, ReportBacklogReadModel, ReportShard, ReportStore } from '@delivery/analytics/store';
import { DestinationError } from '@delivery/destinations/driver';
import { retryDelaySeconds } from '@delivery/exports/domain';
import { RunSlots } from '@delivery/exports/engine';
import { DatabaseError } from '@delivery/platform/postgres';
import type { Lifecycle } from '@delivery/platform/service';
import { inSpan } from '@delivery/platform/tracing';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ReportLease } from './report-lease';
import type { ReportMetrics, ReportOutcome } from './report-metrics';
import type { ReportsConfig } from './reports.config';
import { writeReport, type WriteReportDeps } from './write-report';

export interface ReportWriterDeps extends WriteReportDeps {
  readonly reports: ReportStore;
  readonly backlog: ReportBacklogReadModel;
  readonly metrics: ReportMetrics;
}

/** Makes the reports that are planned, for as long as the process lives. Any number of processes may. */
export class ReportWriter implements OnApplicationBootstrap {
  private readonly logger = new Logger('reports');
  private readonly slots: RunSlots<Report>;

  constructor(
    private readonly config: ReportsConfig,
    private readonly deps: ReportWriterDeps,
    private readonly lifecycle: Lifecycle,
  ) {
    const { database, reports, metrics } = deps;
    this.slots = new RunSlots<Report>({
      slots: config.parallel,
      claim: () => reports.claim(database, { leaseSeconds: config.leaseSeconds }),
      execute: (report, { signal }) => this.make(report, signal),
      onError: (err) => this.logger.warn({ err }, 'reports could not be looked for'),
    });
    metrics.showBusy(() => this.slots.busy);
  }

  onApplicationBootstrap(): void {
    void this.slots.poll(this.config.pollSeconds);
    this.lifecycle.onStopIntake(() => this.slots.stop(), 'reports');
  }

  /** There may be reports to make. */
  wake(): void {
    this.slots.wake();
  }

  /** A sentence when a report is not published by the time that was promised. */
  async fault(): Promise<string | undefined> {
    const late = await this.deps.backlog.latest(this.deps.database);
    if (late === undefined) return undefined;
    const { prefix, analyticsId, lateSeconds, lastError = 'nobody has finished making it' } = late;
    const others = late.late > 1 ? ` ${late.late - 1} others are late, too.` : '';
    return `Report ${prefix} of ${analyticsId} is ${Math.floor(lateSeconds)} s late: ${lastError}.${others}`;
  }

  /** Never rejects: how an attempt ends is written into the report's row. */
  private async make(report: Report, stopping: AbortSignal): Promise<void> {
    const begin = performance.now();
    const outcome = await inSpan(
      'make report',
      () => ({ attributes: { 'report.name': report.prefix, 'report.analytics_id': report.analyticsId } }),
      async (span) => {
        const ended = await this.attempt(report, stopping);
        span.set({ 'report.outcome': ended });
        return ended;
      },
    );
    const seconds = (performance.now() - begin) / 1000;
    this.deps.metrics.ended(report.aggregation, outcome, seconds);
    const { organizationId: organization, analyticsId, prefix, attempt } = report;
    const fields = { organization, analyticsId, report: prefix, attempt, outcome, seconds };
    if (outcome === 'published') return void this.logger.log(fields, 'a report was published');
    this.logger.warn(fields, 'an attempt ended without publishing its report');
  }

  private async attempt(report: Report, stopping: AbortSignal): Promise<ReportOutcome> {
    const { deps, config } = this;
    const { database, reports } = deps;
    const renew = () => reports.renewLease(database, report, config.leaseSeconds);
    const lease = new ReportLease(renew, config.leaseSeconds, stopping);
    try {
      const shards = await writeReport(deps, report, lease.signal);
      return await this.publish(report, shards);
    } catch (error) {
      if (lease.lost) return 'lost';
      return await this.settle(report, error, stopping.aborted);
    } finally {
      lease.close();
    }
  }

  private async publish(report: Report, shards: readonly ReportShard[]): Promise<ReportOutcome> {
    const { database, reports, metrics } = this.deps;
    const hold = await persistently(() => reports.publish(database, report, shards));
    if (hold === 'lost') return 'lost';
    metrics.published(shards);
    return 'published';
  }

  /** Writes down why a report was not published. */
  private async settle(report: Report, error: unknown, stopped: boolean): Promise<ReportOutcome> {
    const { database, reports } = this.deps;
    try {
      if (stopped) {
        const hold = await persistently(() => reports.release(database, report));
        return hold === 'held' ? 'released' : 'lost';
      }
      this.logger.warn({ err: error, report: report.prefix, analyticsId: report.analyticsId }, 'a report failed');
      const seconds = this.retryDelay(report.attempt);
      const hold = await persistently(() => reports.fail(database, report, reasonOf(error), seconds));
      return hold === 'held' ? 'failed' : 'lost';
    } catch (err) {
      // The lease runs out, and the report is claimed again.
      this.logger.warn({ err, report: report.prefix }, 'the end of an attempt could not be written down');
      return 'lost';
    }
  }

  private retryDelay(attempt: number): number {
    const { retryBaseSeconds: baseSeconds, retryCapSeconds: capSeconds } = this.config;
    // Always again: nobody can ask for a report a second time.
    const schedule = { maxTries: Number.POSITIVE_INFINITY, baseSeconds, capSeconds };
    return retryDelaySeconds(schedule, attempt, Math.random()) ?? capSeconds;
  }
}

/** For readiness and the report's row: errors of others may hold anything. */
function reasonOf(error: unknown): string {
  if (error instanceof DestinationError) return error.message.replace(/\.$/, '');
  if (error instanceof DatabaseError) return 'the database could not be read';
  return "the reason is in the process's own log";
}

/** A database that is away for a moment should not cost the work of an attempt. */
async function persistently<T>(write: () => Promise<T>): Promise<T> {
  for (let pauseMs = 200; ; pauseMs *= 2) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof DatabaseError) || !error.retryable || pauseMs > 4000) throw error;
      await delay(pauseMs);
    }
  }
}
