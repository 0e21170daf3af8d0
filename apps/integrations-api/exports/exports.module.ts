import type { KafkaConfig } from '@delivery/platform/kafka';
import { provideKafka } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { ExecuteController } from './execute.controller';
import { LogsController } from './logs.controller';
import { planDepsProvider } from './planning';
import { RunList } from './run-list';
import { RunRequests } from './run-requests';
import { RunsController } from './runs.controller';

/** What is told of runs, and what may be asked of them. */
@Module({})
export class ExportsModule {
  static register(kafka: KafkaConfig): DynamicModule {
    return {
      module: ExportsModule,
      controllers: [LogsController, ExecuteController, RunsController],
      providers: [
        // Without Kafka exporters are told of a run a little later, and all else goes on.
        provideKafka(kafka, { optional: true }),
        planDepsProvider,
        RunList,
        RunRequests,
      ],
    };
  }
}
