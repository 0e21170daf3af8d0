import { testKafka, waitFor, type TestKafka } from '@delivery/platform/testing';
import { BatchConsumer } from './batch-consumer';
import { KafkaConnection } from './connection';
import { KafkaError } from './errors';
import type { FetchedBatch } from './fetched-batch';

const topic = 'events';

describe('kafka', () => {
  let kafka: TestKafka;

  beforeEach(async () => {
    kafka = await testKafka([{ name: topic, partitions: 2, config: {} }]);
  });

  afterEach(async () => {
    await kafka.close();
  });

  function consume(seen: FetchedBatch[], onBatch?: (batch: FetchedBatch) => Promise<void>): BatchConsumer {
    return new BatchConsumer(kafka.connection, {
      groupId: 'g',
      topics: [topic],
      onAssigned: async () => undefined,
      onBatch: async (batch) => {
        await onBatch?.(batch);
        seen.push(batch);
      },
      onError: () => undefined,
    });
  }

  it('tells each caller where its messages went', async () => {
    const publisher = kafka.connection.publisher();
    const calls = Array.from({ length: 50 }, (_, i) =>
      publisher.publish(
        topic,
        [0, 1].map((j) => ({ key: `k${i}-${j}`, value: Buffer.from(`${i}-${j}`) })),
      ),
    );
    const places = (await Promise.all(calls)).flat();
    const seen: FetchedBatch[] = [];
    const consumer = consume(seen);
    await consumer.start();
    await waitFor(() => seen.flatMap((b) => b.messages).length === 100, { describe: '100 messages' });
    await consumer.stop();
    const found = new Map(seen.flatMap((b) => b.messages.map((m) => [`${b.partition} ${m.offset}`, String(m.value)])));
    places.forEach((place, i) => {
      expect(found.get(`${place.partition} ${place.offset}`)).toBe(`${Math.floor(i / 2)}-${i % 2}`);
    });
  });

  it('moves over control and aborted records, also when nothing else is in the batch', async () => {
    await kafka.admin.transaction(
      topic,
      [
        { partition: 0, value: 'a' },
        { partition: 0, value: 'b' },
      ],
      'commit',
    );
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'never' }], 'abort');
    const seen: FetchedBatch[] = [];
    const consumer = consume(seen);
    await consumer.start();
    await waitFor(() => seen.at(-1)?.nextOffset === 5n, { describe: 'the position after the abort marker' });
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'never either' }], 'abort');
    await waitFor(() => seen.at(-1)?.nextOffset === 7n, {
      describe: 'the position after a batch of only aborted records',
    });
    await consumer.stop();
    expect(seen.flatMap((b) => b.messages.map((m) => String(m.value)))).toEqual(['a', 'b']);
    seen.slice(1).forEach((batch, i) => expect(batch.fetchedOffset).toBe(seen[i]?.nextOffset));
  });

  it('fetches a batch again whose handling failed, and seeks', async () => {
    await kafka.admin.produce(
      topic,
      [0, 1, 2].map((i) => ({ partition: 0, value: String(i) })),
    );
    let failures = 2;
    const seen: FetchedBatch[] = [];
    const consumer = consume(seen, async () => {
      failures -= 1;
      if (failures >= 0) throw new Error('not now');
    });
    await consumer.start();
    await waitFor(() => seen.length === 1, { describe: 'the batch' });
    consumer.seek(topic, 0, 1n);
    await waitFor(() => seen.length === 2, { describe: 'the sought batch' });
    await consumer.stop();
    expect(seen.map((b) => b.fetchedOffset)).toEqual([0n, 1n]);
    expect(seen[1]?.messages.map((m) => String(m.value))).toEqual(['1', '2']);
  });

  it('names what makes a topic unfit', async () => {
    await kafka.admin.createTopic('compacted', 1, {
      'cleanup.policy': 'compact',
      'message.timestamp.type': 'CreateTime',
    });
    await expect(kafka.connection.topicFaults(topic)).resolves.toEqual([]);
    const faults = await kafka.connection.topicFaults('compacted');
    expect(faults.join(' ')).toMatch(/message.timestamp.type=CreateTime.*cleanup.policy=compact/);
    await expect(kafka.connection.topicFaults('absent')).resolves.toEqual([expect.stringContaining('does not exist')]);
    await kafka.admin.deleteTopic('compacted');
  });

  it('finds the first offset at or after a time, and the end when there is none', async () => {
    await kafka.admin.produce(topic, [{ partition: 1, value: 'x' }]);
    const before = await kafka.connection.offsetsAt(topic, new Date(Date.now() - 60_000));
    const after = await kafka.connection.offsetsAt(topic, new Date(Date.now() + 60_000));
    expect(before).toEqual([
      { partition: 0, offset: 0n },
      { partition: 1, offset: 0n },
    ]);
    expect(after).toEqual([
      { partition: 0, offset: 0n },
      { partition: 1, offset: 1n },
    ]);
  });

  it('says in bounded time that no broker answers', async () => {
    const lost = new KafkaConnection({ ...kafka.config, brokers: ['127.0.0.1:1'], publishTimeoutMs: 1000 });
    const failure = await lost
      .publisher()
      .publish(topic, [{ key: 'k', value: Buffer.from('v') }])
      .catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(KafkaError);
    expect(failure).toMatchObject({ code: 'broker_unavailable', retryable: true });
    await lost.close();
  });
});
