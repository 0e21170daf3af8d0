import { setTimeout as delay } from 'node:timers/promises';
import { reportFiles, reportFolder } from '@delivery/analytics/domain';
import type { Report, ReportStore } from '@delivery/analytics/store';
import type { DestinationDriver } from '@delivery/destinations/driver';
import type { Database } from '@delivery/platform/postgres';
import type { Lifecycle } from '@delivery/platform/service';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { ReportMetrics } from './report-metrics';

export interface RetentionDeps {
  readonly database: Database;
  readonly reports: ReportStore;
  readonly store: DestinationDriver;
  readonly storePrefix: string;
  readonly metrics: ReportMetrics;
}

const EVERY_MS = 300_000;
/** Reports handled at once. */
const LIMIT = 100;

/** Removes the files of reports that were published long ago. The rows stay: they tell that there was something. */
export class ReportRetention implements OnApplicationBootstrap {
  private readonly logger = new Logger('report retention');

  constructor(
    private readonly days: number,
    private readonly deps: RetentionDeps,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    const loop = this.loop(this.lifecycle.stopping);
    this.lifecycle.onStopIntake(() => loop, 'report retention');
  }

  /**
   * Removes what is to be removed by now. First nobody gets links any more, then the files go; links that were given out
   * before lead to nothing from then on.
   */
  async sweep(signal: AbortSignal): Promise<void> {
    const { database, reports } = this.deps;
    while (!signal.aborted) {
      const expired = await reports.expire(database, { days: this.days, limit: LIMIT });
      const removable = await reports.listRemovable(database, LIMIT);
      for (const report of removable) await this.remove(report, signal);
      if (expired < LIMIT && removable.length < LIMIT) return;
    }
  }

  private async remove(report: Report, signal: AbortSignal): Promise<void> {
    const { database, reports, store, storePrefix, metrics } = this.deps;
    const { organizationId, analyticsId, prefix, shards } = report;
    const folder = `${storePrefix}${reportFolder(organizationId, analyticsId)}`;
    for (const file of reportFiles(prefix, shards.length)) await store.deleteObject(folder + file, signal);
    await reports.markRemoved(database, report);
    metrics.removed();
    this.logger.log({ organization: organizationId, analyticsId, report: prefix }, 'a report was removed');
  }

  private async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.sweep(signal);
      } catch (err) {
        if (!signal.aborted) this.logger.warn({ err }, 'old reports could not be removed and will be looked at again');
      }
      await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
