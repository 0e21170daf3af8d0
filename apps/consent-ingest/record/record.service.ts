import { consentRecorderGroup, consentRecorderName } from '@delivery/consent/schema';
import { Recorder } from '@delivery/ingest/recorder';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { IngestConfig } from '../app.config';
import { ConsentCommandsRecorder } from './consent-commands.recorder';
import { ConsentEventsRecorder } from './consent-events.recorder';
import { KnownOrganizations } from './known-organizations';
import { observeRecorder } from './recorder-metrics';

/** Name of this recorder's rows in `ingest_position`. */
export const consumerName = consentRecorderName;

/** The role `record`: reads the consent topics and records them exactly once. */
@Injectable()
export class RecordService implements OnApplicationBootstrap {
  private readonly logger = new Logger('recorder');
  private readonly recorder: Recorder;

  constructor(
    config: IngestConfig,
    database: Database,
    connection: KafkaConnection,
    health: HealthChecks,
    private readonly lifecycle: Lifecycle,
    metrics: Metrics,
  ) {
    const topics = [new ConsentEventsRecorder(new KnownOrganizations()), new ConsentCommandsRecorder()];
    this.recorder = new Recorder(
      { database, connection, observer: observeRecorder(metrics, this.logger) },
      {
        consumer: consumerName,
        groupId: consentRecorderGroup,
        topics,
        batchSize: config.batchSize,
        recheckMs: config.recheckMs,
        stalledMs: config.stalledSeconds * 1000,
      },
    );
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
