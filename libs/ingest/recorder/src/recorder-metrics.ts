import { failurePlaces, type RecorderObserver } from './recorder-observer';
import { counterSpec, gaugeSpec, histogramSpec, type Metrics, type MetricSpec } from '@delivery/platform/service';
import type { Logger } from '@nestjs/common';
import { WaitingTime } from './waiting-time';

const messagesRecorded = counterSpec(
  'ingest_messages_recorded_total',
  'Messages by how they ended: recorded, duplicates, rejected, suppressed, control. Counted when committed.',
  ['topic', 'outcome'],
);
const batchSeconds = histogramSpec('ingest_batch_seconds', 'How long recording a range of messages took.', ['topic']);
const attemptsFailed = counterSpec(
  'ingest_attempts_failed_total',
  'What failed in recording and is repeated: consumer (fetching and recording), assignment, recheck, rejections.',
  ['where'],
);
const lagMessages = gaugeSpec(
  'ingest_lag_messages',
  'Messages between the recorder and the end of the log, of the partitions that this process has.',
  ['topic', 'partition'],
);
const lagSeconds = gaugeSpec(
  'ingest_lag_seconds',
  'How long the next message to record has waited at most since the log took it; 0 at the end of the log.',
  ['topic', 'partition'],
);
const stopped = gaugeSpec('ingest_partitions_stopped', '1 for a partition that waits for an operator.', [
  'topic',
  'partition',
]);

export const recorderMetricSpecs: readonly MetricSpec[] = [
  messagesRecorded,
  batchSeconds,
  attemptsFailed,
  lagMessages,
  lagSeconds,
  stopped,
];

interface Place {
  readonly topic: string;
  readonly partition: string;
}

/** What a recorder tells of its work, as metrics and in the log. */
export function observeRecorder(metrics: Metrics, logger: Logger): RecorderObserver {
  const messages = metrics.counter(messagesRecorded);
  const batches = metrics.histogram(batchSeconds);
  const failures = metrics.counter(attemptsFailed);
  for (const where of failurePlaces) failures.inc({ where }, 0);
  const gauges = [metrics.gauge(lagMessages), metrics.gauge(lagSeconds), metrics.gauge(stopped)] as const;
  const [behindBy, waitingFor, halted] = gauges;
  const shown = new Map<string, Place & { waiting: WaitingTime }>();
  const show = (topic: string, partition: number) => {
    const key = `${topic} ${partition}`;
    const place = shown.get(key) ?? { topic, partition: String(partition), waiting: new WaitingTime() };
    shown.set(key, place);
    return { labels: { topic, partition: place.partition }, waiting: place.waiting };
  };
  return {
    began: (topic, partition, offset) => logger.log({ topic, partition, offset: String(offset) }, 'a partition begins'),
    owns(partitions) {
      const own = new Set(partitions.map(({ topic, partition }) => `${topic} ${partition}`));
      for (const [key, { topic, partition }] of [...shown]) {
        if (own.has(key)) continue;
        // Another recorder's now: what was last seen of it here would be shown for ever.
        for (const gauge of gauges) gauge.remove({ topic, partition });
        shown.delete(key);
      }
    },
    counted(topic, _, counted) {
      for (const [outcome, count] of Object.entries(counted)) messages.inc({ topic, outcome }, Number(count));
    },
    recorded: (topic, seconds) => batches.observe({ topic }, seconds),
    behind(topic, partition, count, arrivedAt) {
      const { labels, waiting } = show(topic, partition);
      behindBy.set(labels, Number(count));
      waitingFor.set(labels, waiting.seconds(count, arrivedAt, new Date()));
    },
    stopped(topic, partition, reason) {
      halted.set(show(topic, partition).labels, 1);
      logger.error({ topic, partition, reason }, 'a partition stopped');
    },
    resumed(topic, partition) {
      halted.set(show(topic, partition).labels, 0);
      logger.log({ topic, partition }, 'a partition goes on');
    },
    failed(error, where) {
      failures.inc({ where });
      logger.warn({ err: error, where }, 'recording failed and will be repeated');
    },
  };
}
