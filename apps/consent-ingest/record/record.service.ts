import { consentRecorderName } from '@delivery/consent/schema';
import { Recorder, type RecorderObserver } from '@delivery/ingest/recorder';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { HealthChecks, Lifecycle, Metrics } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { IngestConfig } from '../app.config';
import { ConsentCommandsRecorder } from './consent-commands.recorder';
import { ConsentEventsRecorder } from './consent-events.recorder';
import { KnownOrganizations } from './known-organizations';

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
      { database, connection, observer: observe(metrics, this.logger) },
      {
        consumer: consumerName,
        groupId: 'consent-ingest.record',
        topics,
        batchSize: config.batchSize,
        recheckMs: config.recheckMs,
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

function observe(metrics: Metrics, logger: Logger): RecorderObserver {
  const messages = metrics.counter('ingest_messages_recorded_total', 'Messages by topic and by how they ended.', [
    'topic',
    'outcome',
  ]);
  const lag = metrics.gauge('ingest_lag_messages', 'Messages between the recorder and the end of the log.', [
    'topic',
    'partition',
  ]);
  const stopped = metrics.gauge('ingest_partitions_stopped', 'Partitions that wait for an operator.', [
    'topic',
    'partition',
  ]);
  return {
    began: (topic, partition, offset) => logger.log({ topic, partition, offset: String(offset) }, 'a partition begins'),
    counted(topic, _, counted) {
      for (const [outcome, count] of Object.entries(counted))
        if (count > 0n) messages.inc({ topic, outcome }, Number(count));
    },
    behind: (topic, partition, count) => lag.set({ topic, partition: String(partition) }, Number(count)),
    stopped(topic, partition, reason) {
      stopped.set({ topic, partition: String(partition) }, 1);
      logger.error({ topic, partition, reason }, 'a partition stopped');
    },
    resumed(topic, partition) {
      stopped.set({ topic, partition: String(partition) }, 0);
      logger.log({ topic, partition }, 'a partition goes on');
    },
    failed: (error, where) => logger.warn({ err: error, where }, 'recording failed and will be repeated'),
  };
}
