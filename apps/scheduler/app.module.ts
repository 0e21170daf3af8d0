import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
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
import { SchedulerAppConfig, SchedulerConfig } from './app.config';
import { schedulerMetricSpecs } from './scheduler-metrics';
import { SchedulerService } from './scheduler.service';
import { backlogMetricSpecs } from './tasks/backlog-gauges';
import { reportGaugeSpecs } from './tasks/report-gauges';

const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

@Module({})
export class AppModule {
  static register(config: SchedulerAppConfig): DynamicModule {
    return {
      module: AppModule,
      providers: [
        provideDatabase(config.postgres, { applicationName: 'scheduler', migrations }),
        provideKafka(config.kafka),
        { provide: SchedulerConfig, useValue: config.scheduler },
        SchedulerService,
      ],
      exports: [Database, KafkaConnection],
    };
  }
}

export const definition: ServiceDefinition<SchedulerAppConfig> = {
  name: 'scheduler',
  config: SchedulerAppConfig,
  module: (config) => AppModule.register(config),
  metrics: [...databaseMetrics, ...kafkaMetrics, ...schedulerMetricSpecs, ...backlogMetricSpecs, ...reportGaugeSpecs],
};
