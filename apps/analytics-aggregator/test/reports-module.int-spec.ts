import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReportStoreConfig } from '@delivery/analytics/reports';
import { reportsRequested, topicSpecs } from '@delivery/analytics/schema';
import { Section } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { SigningConfig } from '@delivery/platform/secrets';
import {
  bootService,
  databaseMetrics,
  HttpConfig,
  kafkaMetrics,
  LogConfig,
  provideDatabase,
  provideKafka,
  type RunningService,
  type ServiceDefinition,
} from '@delivery/platform/service';
import { stackEnvironment, testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';
import { Module } from '@nestjs/common';
import { reportMetricSpecs } from '../reports/report-metrics';
import { ReportsConfig } from '../reports/reports.config';
import { ReportsModule, reportTransports } from '../reports/reports.module';
import { allMigrations, ReportWorld } from './report-world';

class OnlyReportsConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_aggregator' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'reports' } })
  kafka: KafkaConfig;

  @Section(SigningConfig)
  signing: SigningConfig;

  @Section(ReportStoreConfig)
  reportStore: ReportStoreConfig;

  @Section(ReportsConfig)
  reports: ReportsConfig;
}

@Module({})
class Resources {}

@Module({})
class App {}

/** The part of the aggregator that makes reports, as a service. */
const definition: ServiceDefinition<OnlyReportsConfig> = {
  name: 'reports',
  config: OnlyReportsConfig,
  module: (config) => {
    const database = provideDatabase(config.postgres, { applicationName: 'reports', migrations: allMigrations });
    const providers = [database, provideKafka(config.kafka)];
    const resources = { module: Resources, global: true, providers, exports: [Database, KafkaConnection] };
    return { module: App, imports: [resources, ReportsModule.register(config)] };
  },
  metrics: [...databaseMetrics, ...kafkaMetrics, ...reportMetricSpecs],
  microservices: reportTransports,
};

describe('the module that makes reports', () => {
  let world: ReportWorld;
  let kafka: TestKafka;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let service: RunningService;

  beforeAll(async () => {
    world = await ReportWorld.open();
    kafka = await testKafka(topicSpecs(1));
    folder = await mkdtemp(join(tmpdir(), 'reports-'));
    env = {
      ...stackEnvironment(),
      DATABASE_URL: world.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      REPORT_STORE_DIR: folder,
      // It looks once at its start, and then only when it is told to.
      REPORT_POLL_SECONDS: '3600',
      REPORT_RETRY_BASE_SECONDS: '3600',
      REPORT_RETRY_CAP_SECONDS: '86400',
      LOG_LEVEL: 'error',
    };
    service = await bootService(definition, env);
  });
  afterAll(async () => {
    await service.stop();
    await kafka.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ready = () => fetch(`${service.url}/health/ready`);
  const nudge = (key: { organizationId: string; analyticsId: string; prefix: string }) => {
    const message = { organization_id: key.organizationId, analytics_id: key.analyticsId, prefix: key.prefix };
    const outgoing = { key: reportsRequested.key(message), value: reportsRequested.encode(message) };
    return kafka.connection.publisher().publish(reportsRequested.name, [outgoing]);
  };

  it('makes a report when a message tells of it', async () => {
    await waitFor(async () => (await ready()).status === 200, { describe: 'readiness' });
    const key = await world.plan('interaction-2026-02-27');
    await nudge(key);
    await world.becomes(key, ({ status }) => status === 'published');
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('analytics_report_attempts_ended_total{aggregation="interaction",outcome="published"} 1');
    expect(metrics).toContain('analytics_reports_making 0');
  });

  it('says before the first report that its store cannot be used', async () => {
    const missing = join(folder, 'missing');
    const other = await bootService(definition, { ...env, REPORT_STORE_DIR: missing });
    try {
      const report = async () => Object(await (await fetch(`${other.url}/health/ready`)).json());
      const reason = `Reports cannot be written: "${missing}" does not exist. Create the folder or mount its disk, or change the destination.`;
      await waitFor(async () => (await report()).checks.report_store.reason === reason, { describe: 'the reason' });
      expect((await report()).status).toBe('unavailable');
    } finally {
      await other.stop();
    }
  });

  it('is unready with a sentence while a report is late', async () => {
    await rm(folder, { recursive: true });
    const key = await world.plan('granular-2026-02-27');
    await nudge(key);
    await world.becomes(key, ({ lastError }) => lastError !== undefined);
    expect((await ready()).status).toBe(200);
    await world.db.query(`UPDATE analytics_report SET planned_at = planned_at - interval '1 hour'`);
    const answer = await ready();
    expect(answer.status).toBe(503);
    const { checks } = Object(await answer.json());
    expect(checks.reports.reason).toMatch(/^Report granular-2026-02-27 of id\d+ is 18\d\d s late: .* does not exist/);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });
});
