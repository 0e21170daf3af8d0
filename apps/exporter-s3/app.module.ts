import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { exporterMetricSpecs, ExporterModule, exporterTransports } from '@delivery/exports/engine';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import {
  databaseMetrics,
  kafkaMetrics,
  provideDatabase,
  provideKafka,
  type ServiceDefinition,
} from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { ExporterS3Config } from './app.config';
import { s3Destinations } from './s3-destinations';

const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

@Module({})
class ResourcesModule {
  static register(config: ExporterS3Config): DynamicModule {
    return {
      module: ResourcesModule,
      global: true,
      providers: [
        provideDatabase(config.postgres, { applicationName: 'exporter-s3', migrations }),
        provideKafka(config.kafka),
      ],
      exports: [Database, KafkaConnection],
    };
  }
}

@Module({})
export class AppModule {
  static register(config: ExporterS3Config): DynamicModule {
    const { exporter, postgres, signing } = config;
    const destinations = s3Destinations(config.s3);
    const options = { kind: 's3', exporter, postgres, signing, destinations } as const;
    return { module: AppModule, imports: [ResourcesModule.register(config), ExporterModule.register(options)] };
  }
}

export const definition: ServiceDefinition<ExporterS3Config> = {
  name: 'exporter-s3',
  config: ExporterS3Config,
  module: (config) => AppModule.register(config),
  metrics: [...databaseMetrics, ...kafkaMetrics, ...exporterMetricSpecs],
  microservices: (app) => exporterTransports(app, 's3'),
};
