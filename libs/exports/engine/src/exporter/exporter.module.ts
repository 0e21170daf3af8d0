import type { DestinationDriver, DriverDeps } from '@delivery/destinations/driver';
import { type ExporterKind, runRequestedTopics } from '@delivery/exports/schema';
import { AttemptStore, type ExportRun, RunStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { KafkaConnection, RunNudgeStrategy } from '@delivery/platform/kafka';
import { Database, type PostgresConfig } from '@delivery/platform/postgres';
import { ManifestSigner, type SigningConfig } from '@delivery/platform/secrets';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { Controller, type DynamicModule, type INestApplication, Module, type Type } from '@nestjs/common';
import { type CustomTransportStrategy, EventPattern } from '@nestjs/microservices';
import { Exporter } from './exporter';
import type { ExporterConfig } from './exporter.config';

export interface ExporterOptions {
  readonly kind: ExporterKind;
  readonly exporter: ExporterConfig;
  readonly postgres: PostgresConfig;
  readonly signing: SigningConfig;
  /** Where a run goes, with the credentials of this moment; made when the database is open. */
  readonly destinations: (database: Database) => OpenDestination;
}

/** @throws RunFault `destination_missing`; DestinationError */
export type OpenDestination = (run: ExportRun, deps: DriverDeps) => Promise<DestinationDriver>;

/**
 * All of an exporter but its driver. Needs `Database` and `KafkaConnection` from the app, whose transport must be
 * {@link exporterTransports}.
 */
@Module({})
export class ExporterModule {
  static register(options: ExporterOptions): DynamicModule {
    return {
      module: ExporterModule,
      controllers: [nudgeController(options.kind)],
      providers: [
        {
          provide: SNAPSHOTS,
          inject: [Database, HealthChecks, Lifecycle],
          useFactory: (database: Database, health: HealthChecks, lifecycle: Lifecycle) =>
            openSnapshots(options.postgres, database, health, lifecycle),
        },
        {
          provide: Exporter,
          inject: [Database, SNAPSHOTS, Metrics, Lifecycle, HealthChecks],
          useFactory: (...parts: ExporterParts) => openExporter(options, ...parts),
        },
      ],
    };
  }
}

type ExporterParts = [Database, Database, Metrics, Lifecycle, HealthChecks];

function openExporter(
  options: ExporterOptions,
  ...[database, snapshots, metrics, lifecycle, health]: ExporterParts
): Exporter {
  const parts = partsOf(options, database, snapshots);
  const exporter = new Exporter(options.kind, options.exporter, parts, metrics, lifecycle);
  health.register('runs', async () => {
    const fault = await exporter.fault();
    if (fault !== undefined) throw new Error(fault);
  });
  return exporter;
}

/** The transport through which an exporter is told of runs; all exporters of a kind share the messages. */
export function exporterTransports(app: INestApplication, kind: ExporterKind): CustomTransportStrategy[] {
  return [new RunNudgeStrategy(app.get(KafkaConnection), `exporter-${kind}.run`)];
}

const SNAPSHOTS = Symbol('the database that windows are read from');

/** The replica when there is one; it is then a reason not to be ready, and never the database of rows and leases. */
async function openSnapshots(
  config: PostgresConfig,
  database: Database,
  health: HealthChecks,
  lifecycle: Lifecycle,
): Promise<Database> {
  if (config.readUrl === undefined) return database;
  const replica = await new Database(config, { applicationName: 'exporter', read: true }).open();
  health.register('replica', async () => void (await replica.query('SELECT 1')));
  lifecycle.onClose(() => replica.close(), 'replica');
  return replica;
}

function partsOf(options: ExporterOptions, database: Database, snapshots: Database) {
  const signer = ManifestSigner.fromConfig(options.signing);
  return {
    database,
    snapshots,
    attempts: new AttemptStore(),
    runs: new RunStore(),
    positions: new PositionStore(),
    openDestination: options.destinations(database),
    sign: (input: Buffer) =>
      ({ algorithm: signer.algorithm, key_id: signer.keyId, value: signer.sign(input) }) as const,
  };
}

/** A nudge says "look now" and nothing else; what it carries is for people who read the topic. */
function nudgeController(kind: ExporterKind): Type {
  @Controller()
  class NudgeController {
    constructor(private readonly exporter: Exporter) {}

    @EventPattern(runRequestedTopics[kind])
    nudged(_message: object): void {
      this.exporter.wake();
    }
  }
  return NudgeController;
}
