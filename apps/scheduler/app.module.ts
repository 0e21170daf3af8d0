import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { provideDatabase, provideKafka, type ServiceDefinition } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { SchedulerAppConfig, SchedulerConfig } from './app.config';
import { SchedulerService } from './scheduler.service';

@Module({})
export class AppModule {
  static register(config: SchedulerAppConfig): DynamicModule {
    return {
      module: AppModule,
      providers: [
        provideDatabase(config.postgres, { applicationName: 'scheduler' }),
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
};
