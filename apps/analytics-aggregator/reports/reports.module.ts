import type { ReportStoreConfig } from '@delivery/analytics/reports';
import { reportsRequestedTopic } from '@delivery/analytics/schema';
import { ReportBacklogReadModel, ReportStore } from '@delivery/analytics/store';
import type { DestinationDriver } from '@delivery/destinations/driver';
import { KafkaConnection, RunNudgeStrategy } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { ManifestSigner, type SigningConfig } from '@delivery/platform/secrets';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { Controller, type DynamicModule, type INestApplication, Module } from '@nestjs/common';
import { type CustomTransportStrategy, EventPattern } from '@nestjs/microservices';
import { openReportDestination } from './open-report-destination';
import { ReportMetrics } from './report-metrics';
import { ReportRetention } from './report-retention';
import { ReportStoreCheck } from './report-store-check';
import { ReportWriter, type ReportWriterDeps } from './report-writer';
import type { ReportsConfig } from './reports.config';

export interface ReportsOptions {
  readonly reports: ReportsConfig;
  readonly reportStore: ReportStoreConfig;
  readonly signing: SigningConfig;
}

const DEPS = Symbol('what reports are made with');

/** A nudge says "look now" and nothing else; what it carries is for people who read the topic. */
@Controller()
class ReportNudgesController {
  constructor(private readonly writer: ReportWriter) {}

  @EventPattern(reportsRequestedTopic)
  nudged(_message: object): void {
    this.writer.wake();
  }
}

/** Makes reports and removes old ones. Needs `Database` from the app, whose transport must have {@link reportTransports}. */
@Module({})
export class ReportsModule {
  static register(options: ReportsOptions): DynamicModule {
    return {
      module: ReportsModule,
      controllers: [ReportNudgesController],
      providers: [
        {
          provide: DEPS,
          inject: [Database, Metrics, Lifecycle],
          useFactory: (...parts: [Database, Metrics, Lifecycle]) => openDeps(options, ...parts),
        },
        {
          provide: ReportWriter,
          inject: [DEPS, Lifecycle, HealthChecks],
          useFactory: (deps: ReportWriterDeps, lifecycle: Lifecycle, health: HealthChecks) =>
            openWriter(options.reports, deps, lifecycle, health),
        },
        {
          provide: ReportStoreCheck,
          inject: [DEPS, Lifecycle, HealthChecks],
          useFactory: (deps: ReportWriterDeps, lifecycle: Lifecycle, health: HealthChecks) =>
            openCheck(deps, lifecycle, health),
        },
        {
          provide: ReportRetention,
          inject: [DEPS, Lifecycle],
          useFactory: (deps: ReportWriterDeps, lifecycle: Lifecycle) =>
            new ReportRetention(options.reports.retentionDays, deps, lifecycle),
        },
      ],
    };
  }
}

/** The transport through which a process is told of reports; all of them share the messages. */
export function reportTransports(app: INestApplication): CustomTransportStrategy[] {
  return [new RunNudgeStrategy(app.get(KafkaConnection), 'analytics-aggregator.reports')];
}

async function openDeps(
  { reportStore, signing }: ReportsOptions,
  database: Database,
  metrics: Metrics,
  lifecycle: Lifecycle,
): Promise<ReportWriterDeps> {
  const store: DestinationDriver = await openReportDestination(reportStore);
  lifecycle.onClose(() => store.close(), 'report store');
  const signer = ManifestSigner.fromConfig(signing);
  return {
    database,
    store,
    storePrefix: reportStore.prefix,
    sign: (input) => ({ algorithm: signer.algorithm, key_id: signer.keyId, value: signer.sign(input) }),
    reports: new ReportStore(),
    backlog: new ReportBacklogReadModel(),
    metrics: new ReportMetrics(metrics),
  };
}

function openCheck({ store }: ReportWriterDeps, lifecycle: Lifecycle, health: HealthChecks): ReportStoreCheck {
  const check = new ReportStoreCheck(store, lifecycle);
  health.register('report_store', () => {
    if (check.fault !== undefined) throw new Error(check.fault);
  });
  return check;
}

function openWriter(
  config: ReportsConfig,
  deps: ReportWriterDeps,
  lifecycle: Lifecycle,
  health: HealthChecks,
): ReportWriter {
  const writer = new ReportWriter(config, deps, lifecycle);
  health.register('reports', async () => {
    const fault = await writer.fault();
    if (fault !== undefined) throw new Error(fault);
  });
  return writer;
}
