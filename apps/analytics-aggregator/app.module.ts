import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports } from '@delivery/exports/store';
import { provideRecorder, recorderMetricSpecs } from '@delivery/ingest/recorder';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import {
  databaseMetrics,
  kafkaMetrics,
  Metrics,
  provideDatabase,
  provideKafka,
  type ServiceDefinition,
} from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { AggregatorConfig } from './aggregator.config';
import { aggregatorMetricSpecs, AggregatorMetrics } from './aggregator-metrics';
import { AggregatorService } from './aggregator.service';
import { AggregatorAppConfig } from './app.config';
import { beginHours } from './closing/begin-hours';
import { interactionRecording } from './record/interaction-recording';
import { reportMetricSpecs } from './reports/report-metrics';
import { ReportsModule, reportTransports } from './reports/reports.module';

const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

const HOURS_BEGUN = Symbol('the hours were begun');

@Module({})
class ResourcesModule {
  static register(config: AggregatorAppConfig): DynamicModule {
    return {
      module: ResourcesModule,
      global: true,
      providers: [
        provideDatabase(config.postgres, { applicationName: 'analytics-aggregator', migrations }),
        provideKafka(config.kafka),
      ],
      exports: [Database, KafkaConnection],
    };
  }
}

@Module({})
export class AppModule {
  static register(config: AggregatorAppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [ResourcesModule.register(config), ReportsModule.register(config)],
      providers: [
        { provide: AggregatorConfig, useValue: config.aggregator },
        {
          provide: AggregatorMetrics,
          inject: [Metrics],
          useFactory: (metrics: Metrics) => new AggregatorMetrics(metrics),
        },
        // Done when all is made, before anything starts: whatever is counted is counted into an hour.
        { provide: HOURS_BEGUN, inject: [Database], useFactory: beginHours },
        provideRecorder(config.recorder, interactionRecording),
        AggregatorService,
      ],
    };
  }
}

export const definition: ServiceDefinition<AggregatorAppConfig> = {
  name: 'analytics-aggregator',
  config: AggregatorAppConfig,
  module: (config) => AppModule.register(config),
  metrics: [
    ...databaseMetrics,
    ...kafkaMetrics,
    ...recorderMetricSpecs,
    ...aggregatorMetricSpecs,
    ...reportMetricSpecs,
  ],
  microservices: (app) => reportTransports(app),
};
