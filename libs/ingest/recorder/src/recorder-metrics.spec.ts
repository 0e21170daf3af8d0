import { Metrics } from '@delivery/platform/service';
import { Logger } from '@nestjs/common';
import { observeRecorder, recorderMetricSpecs } from './recorder-metrics';

const topic = 'consent.events.v1';

describe('observeRecorder', () => {
  const metrics = new Metrics(recorderMetricSpecs);
  const logger = new Logger('test');
  for (const level of ['log', 'warn', 'error'] as const) jest.spyOn(logger, level).mockImplementation(() => undefined);
  const observer = observeRecorder(metrics, logger);
  const shown = async (name: string) =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(name));

  it('shows what is behind, and nothing any more of partitions that went to another recorder', async () => {
    observer.owns([
      { topic, partition: 0 },
      { topic, partition: 1 },
    ]);
    observer.behind(topic, 0, 7n, new Date(Date.now() - 60_000));
    observer.behind(topic, 1, 0n, undefined);
    observer.stopped(topic, 1, 'gone');
    await expect(shown('ingest_lag_messages')).resolves.toEqual([
      `ingest_lag_messages{topic="${topic}",partition="0"} 7`,
      `ingest_lag_messages{topic="${topic}",partition="1"} 0`,
    ]);
    const [waiting = ''] = await shown('ingest_lag_seconds');
    expect(Number(waiting.split(' ')[1])).toBeGreaterThanOrEqual(60);
    await expect(shown('ingest_partitions_stopped')).resolves.toHaveLength(1);

    observer.owns([{ topic, partition: 0 }]);
    for (const name of ['ingest_lag_messages', 'ingest_lag_seconds'])
      await expect(shown(name)).resolves.toHaveLength(1);
    await expect(shown('ingest_partitions_stopped')).resolves.toEqual([]);
  });

  it('shows an outcome at 0 before it happens, so that its first increase is seen', async () => {
    observer.counted(topic, 0, { recorded: 2n, duplicates: 0n, rejected: 0n, suppressed: 0n, control: 1n });
    await expect(shown('ingest_messages_recorded_total')).resolves.toContain(
      `ingest_messages_recorded_total{topic="${topic}",outcome="rejected"} 0`,
    );
  });

  it('counts what failed and is repeated, by where', async () => {
    observer.failed(new Error('no'), 'consumer');
    await expect(shown('ingest_attempts_failed_total')).resolves.toEqual(
      expect.arrayContaining([
        'ingest_attempts_failed_total{where="consumer"} 1',
        'ingest_attempts_failed_total{where="rejections"} 0',
      ]),
    );
  });
});
