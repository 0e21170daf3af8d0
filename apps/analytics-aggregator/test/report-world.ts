import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Aggregation, type Frequency, parseReportPrefix } from '@delivery/analytics/domain';
import {
  migrations as analytics,
  type Report,
  ReportBacklogReadModel,
  type ReportKey,
  ReportPlanStore,
  ReportStore,
} from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import type { DestinationDriver } from '@delivery/destinations/driver';
import { openFileDestination } from '@delivery/destinations/file';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { loadConfig } from '@delivery/platform/config';
import { Database, type PostgresConfig } from '@delivery/platform/postgres';
import { generateSigningKey, ManifestSigner } from '@delivery/platform/secrets';
import { Lifecycle, Metrics } from '@delivery/platform/service';
import { testDatabase, type TestDatabase, waitFor } from '@delivery/platform/testing';
import { Logger } from '@nestjs/common';
import { ReportMetrics, reportMetricSpecs } from '../reports/report-metrics';
import { ReportWriter, type ReportWriterDeps } from '../reports/report-writer';
import { ReportsConfig } from '../reports/reports.config';

export const allMigrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

export interface InteractionCount {
  organizationId?: string;
  day?: string;
  partition?: number;
  settingsId?: string;
  eventType?: string;
  platform?: string;
  browser?: string;
  country?: string;
  count?: number;
}

/** A process that makes reports. */
export interface Making {
  readonly writer: ReportWriter;
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

/** A database with closed days, a folder as report store, and no Kafka. */
export class ReportWorld {
  readonly plans = new ReportPlanStore();
  readonly reports = new ReportStore();
  readonly signer = ManifestSigner.fromConfig({ manifestSigningKey: generateSigningKey() });
  private readonly running: Making[] = [];
  private counter = 0;

  private constructor(
    private readonly test: TestDatabase,
    /** With the rights of the aggregator, and no others. */
    readonly aggregator: Database,
    readonly folder: string,
    readonly store: DestinationDriver,
  ) {}

  static async open(): Promise<ReportWorld> {
    Logger.overrideLogger(false);
    const test = await testDatabase({ migrations: allMigrations });
    const config = Object.assign(Object.create(Object.getPrototypeOf(test.config)), test.config, {
      role: 'delivery_aggregator',
    });
    const aggregator = await new Database(config, { applicationName: 'test' }).open();
    const folder = await mkdtemp(join(tmpdir(), 'reports-'));
    return new ReportWorld(test, aggregator, folder, await openFileDestination({ root: folder }));
  }

  async close(): Promise<void> {
    await this.aggregator.close();
    await this.test.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** After each test: nothing is left of it. */
  async reset(): Promise<void> {
    await Promise.all(this.running.splice(0).map((making) => making.stop()));
    await this.db.query('TRUNCATE analytics_report, analytics_key, analytics_id, interaction_daily, granular_daily');
    for (const name of await readdir(this.folder)) await rm(join(this.folder, name), { recursive: true });
  }

  get config(): PostgresConfig {
    return this.test.config;
  }

  get db(): Database {
    return this.test.database;
  }

  /** An analytics id of an organization, both made when they are not there. */
  async wish(wanted: {
    organizationId?: string;
    analyticsId?: string;
    settingsIds?: readonly string[];
    frequencies?: readonly Frequency[];
    aggregations?: readonly Aggregation[];
    reportsFrom: string;
  }): Promise<{ organizationId: string; analyticsId: string }> {
    const { organizationId = 'acme', analyticsId = `id${(this.counter += 1)}` } = wanted;
    await this.db.query(`INSERT INTO organization (organization_id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING`, [
      organizationId,
    ]);
    await this.db.query(
      `INSERT INTO analytics_id (organization_id, id, name, settings_ids, frequencies, aggregations, reports_from)
       VALUES ($1, $2, $2, $3, $4, $5, $6)`,
      [
        organizationId,
        analyticsId,
        wanted.settingsIds ?? ['s1'],
        wanted.frequencies ?? ['daily'],
        wanted.aggregations ?? ['interaction'],
        wanted.reportsFrom,
      ],
    );
    return { organizationId, analyticsId };
  }

  /** Plans one report, as the scheduler does for many. */
  async plan(
    prefix: string,
    options: {
      organizationId?: string;
      analyticsId?: string;
      settingsIds?: readonly string[];
      rowsPerShard?: number;
      escapeFormulas?: boolean;
    } = {},
  ): Promise<ReportKey> {
    const name = parseReportPrefix(prefix);
    if (name === undefined) throw new Error(`${prefix} is no report`);
    const { settingsIds = ['s1'], rowsPerShard = 1_000, escapeFormulas = false, ...wanted } = options;
    const { aggregation, frequency, ...days } = name;
    const key = await this.wish({ ...wanted, settingsIds, reportsFrom: days.firstDay });
    const wish = { ...key, aggregation, frequency, settingsIds, reportsFrom: days.firstDay, planned: undefined };
    await this.plans.insert(this.db, wish, [{ frequency, ...days }], { rowsPerShard, escapeFormulas });
    return { ...key, prefix };
  }

  async interactions(...counts: readonly InteractionCount[]): Promise<void> {
    for (const count of counts) {
      await this.db.query(
        `INSERT INTO interaction_daily (organization_id, day, partition, settings_id, event_type, platform, browser, country,
           count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          count.organizationId ?? 'acme',
          count.day ?? '2026-02-27',
          count.partition ?? 0,
          count.settingsId ?? 's1',
          count.eventType ?? 'CMP_SHOWN',
          count.platform ?? 'web',
          count.browser ?? 'firefox',
          count.country ?? 'FR',
          count.count ?? 1,
        ],
      );
    }
  }

  /** So many rows of one day. */
  async manyInteractions(rows: number, day = '2026-02-27'): Promise<void> {
    await this.db.query(
      `INSERT INTO interaction_daily (organization_id, day, partition, settings_id, event_type, platform, browser, country, count)
       SELECT 'acme', $1, 0, 's1', 'CMP_SHOWN', 'web', 'browser ' || n, 'FR', n FROM generate_series(1, $2::int) AS n`,
      [day, rows],
    );
  }

  deps(changes: Partial<ReportWriterDeps> = {}): { deps: ReportWriterDeps; metrics: Metrics } {
    const metrics = new Metrics(reportMetricSpecs);
    const { algorithm, keyId } = this.signer;
    const deps: ReportWriterDeps = {
      database: this.aggregator,
      reports: this.reports,
      backlog: new ReportBacklogReadModel(),
      metrics: new ReportMetrics(metrics),
      store: this.store,
      storePrefix: '',
      sign: (input) => ({ algorithm, key_id: keyId, value: this.signer.sign(input) }),
      ...changes,
    };
    return { deps, metrics };
  }

  /** A process as it runs; it is stopped with the test. */
  begin(changes: Partial<ReportWriterDeps> = {}, settings: Partial<ReportsConfig> = {}): Making {
    const { deps, metrics } = this.deps(changes);
    const lifecycle = new Lifecycle();
    const config = Object.assign(loadConfig(ReportsConfig, {}), { pollSeconds: 1, retryBaseSeconds: 1 }, settings);
    const writer = new ReportWriter(config, deps, lifecycle);
    writer.onApplicationBootstrap();
    const making: Making = { writer, metrics, stop: () => lifecycle.stopIntake() };
    this.running.push(making);
    return making;
  }

  /** Makes a report, by a process of its own unless one runs. */
  async make(key: ReportKey): Promise<Report> {
    if (this.running.length === 0) this.begin();
    return this.becomes(key, ({ status }) => status === 'published');
  }

  async becomes(key: ReportKey, want: (report: Report) => boolean): Promise<Report> {
    return waitFor(
      async () => {
        const report = await this.reports.find(this.db, key);
        return report !== undefined && want(report) && report;
      },
      { describe: `report ${key.prefix}`, timeoutMs: 20_000 },
    );
  }

  /** What lies in the store of one analytics id, by file name, unfinished files included. */
  async files({ organizationId, analyticsId }: Omit<ReportKey, 'prefix'>): Promise<Map<string, string>> {
    const folder = join(this.folder, 'analytics', organizationId, analyticsId);
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')));
    return new Map(names.map((name, n) => [name, texts[n] ?? '']));
  }
}
