import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { type FactoryProvider, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Recorder } from './recorder';
import type { RecorderConfig } from './recorder.config';
import { observeRecorder } from './recorder-metrics';
import type { TopicRecorder } from './topic-recorder';

/** What a service records. */
export interface Recording {
  /** Name of the recorder's rows in `ingest_position`. */
  readonly consumer: string;
  /** The Kafka group that it reads the topics with. */
  readonly groupId: string;
  readonly topics: readonly TopicRecorder[];
}

/** A service's recorder: starts with it, tells readiness and metrics what it does, and stops before anything it uses. */
export class RecordService implements OnApplicationBootstrap {
  constructor(
    private readonly recorder: Recorder,
    health: HealthChecks,
    private readonly lifecycle: Lifecycle,
  ) {
    health.register('recorder', () => {
      const faults = this.recorder.faults();
      if (faults.length > 0) throw new Error(faults.join(' '));
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.recorder.start();
    this.lifecycle.onStopIntake(() => this.recorder.stop(), 'recorder');
  }
}

/** The service's {@link RecordService}. Needs `Database`, `KafkaConnection` and `recorderMetricSpecs`. */
export function provideRecorder(
  config: RecorderConfig,
  recording: (metrics: Metrics) => Recording,
): FactoryProvider<RecordService> {
  return {
    provide: RecordService,
    inject: [Database, KafkaConnection, HealthChecks, Lifecycle, Metrics],
    useFactory: (
      database: Database,
      connection: KafkaConnection,
      health: HealthChecks,
      lifecycle: Lifecycle,
      metrics: Metrics,
    ) => {
      const observer = observeRecorder(metrics, new Logger('recorder'));
      const { batchSize, recheckMs, stalledSeconds } = config;
      const options = { ...recording(metrics), batchSize, recheckMs, stalledMs: stalledSeconds * 1000 };
      return new RecordService(new Recorder({ database, connection, observer }, options), health, lifecycle);
    },
  };
}
