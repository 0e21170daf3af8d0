import { KafkaConnection, type KafkaConfig } from '@delivery/platform/kafka';
import { Lifecycle } from '@delivery/platform/service';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
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
        {
          provide: KafkaConnection,
          inject: [Lifecycle],
          // No part of readiness: without Kafka exporters are told of a run a little later, and all else goes on.
          useFactory: (lifecycle: Lifecycle) => {
            const connection = new KafkaConnection(kafka, new Logger('kafka'));
            lifecycle.onClose(() => connection.close(), 'kafka');
            return connection;
          },
        },
        planDepsProvider,
        RunList,
        RunRequests,
      ],
    };
  }
}
