import { zstdCompressSync } from 'node:zlib';
import { testKafka, waitFor, type TestKafka } from '@delivery/platform/testing';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { FaultyConnection } from '../test/faulty-connection';
import { BatchConsumer, type BatchConsumerOptions } from './batch-consumer';
import type { KafkaConnection } from './connection';
import type { FetchedBatch } from './fetched-batch';

const topic = 'events';

describe('batch consumer', () => {
  let kafka: TestKafka;
  let consumers: BatchConsumer[];

  beforeEach(async () => {
    kafka = await testKafka([{ name: topic, partitions: 2, config: {} }]);
    consumers = [];
  });

  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await kafka.close();
  });

  /** A consumer that writes down what it was given; stopped after the test. */
  function consume(options: Partial<BatchConsumerOptions> = {}, connection: KafkaConnection = kafka.connection) {
    const batches: FetchedBatch[] = [];
    const errors: unknown[] = [];
    const consumer = new BatchConsumer(connection, {
      groupId: 'g',
      topics: [topic],
      onError: (error) => errors.push(error),
      ...options,
      onBatch: async (batch) => {
        await options.onBatch?.(batch);
        batches.push(batch);
      },
    });
    consumers.push(consumer);
    const texts = (partition = 0) =>
      batches.filter((b) => b.partition === partition).flatMap((b) => b.messages.map((m) => String(m.value)));
    return { consumer, batches, errors, texts };
  }

  const produce = (partition: number, ...values: string[]) =>
    kafka.admin.produce(
      topic,
      values.map((value) => ({ partition, value })),
    );

  describe('what it delivers', () => {
    it("has the log's time, not the producer's, and says where it was fetched", async () => {
      const before = Date.now() - 1000;
      await kafka.admin.produce(topic, [
        { partition: 0, value: 'a', timestamp: new Date(0) },
        { partition: 0, value: null },
      ]);
      const { consumer, batches } = consume();
      await consumer.start();
      await waitFor(() => batches.length === 1, { describe: 'the batch' });
      const [batch] = batches;
      expect(batch).toMatchObject({
        topic,
        partition: 0,
        fetchedOffset: 0n,
        firstOffset: 0n,
        nextOffset: 2n,
        highWatermark: 2n,
      });
      expect(batch?.messages.map(({ offset, value }) => [offset, value && String(value)])).toEqual([
        [0n, 'a'],
        [1n, null],
      ]);
      for (const { timestamp } of batch?.messages ?? []) {
        expect(timestamp.getTime()).toBeGreaterThan(before);
        expect(timestamp.getTime()).toBeLessThan(Date.now() + 1000);
      }
    });

    it.each([false, true])(
      'moves over markers and aborted messages, batch by batch without a gap (gzip: %s)',
      async (gzip) => {
        await kafka.admin.produce(
          topic,
          ['a', 'b'].map((value) => ({ partition: 0, value })),
          { gzip },
        );
        await kafka.admin.transaction(topic, [{ partition: 0, value: 'c' }], 'commit');
        await kafka.admin.transaction(topic, [{ partition: 0, value: 'never' }], 'abort');
        const { consumer, batches, texts } = consume();
        await consumer.start();
        await waitFor(() => batches.at(-1)?.nextOffset === 6n, { describe: 'the position after the abort marker' });
        for (let end = 8n; end <= 12n; end += 2n) {
          await kafka.admin.transaction(topic, [{ partition: 0, value: 'never either' }], 'abort');
          await waitFor(() => batches.at(-1)?.nextOffset === end, {
            describe: `a batch of only aborted records up to ${end}`,
          });
        }
        expect(texts()).toEqual(['a', 'b', 'c']);
        batches.forEach((batch, i) => expect(batch.fetchedOffset).toBe(batches[i - 1]?.nextOffset ?? 0n));
      },
    );

    it('is readable whatever codec the producer took', async () => {
      const compress = async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer);
      CompressionCodecs[CompressionTypes.ZSTD] = () => ({
        compress,
        decompress: () => Promise.reject(new Error('zstd')),
      });
      const producer = kafka.connection.client().kafka.producer();
      await producer.connect();
      const messages = ['a', 'b'].map((value) => ({ partition: 0, value }));
      await producer.send({ topic: kafka.connection.topicName(topic), messages, compression: CompressionTypes.ZSTD });
      await producer.disconnect();
      const { consumer, texts, errors } = consume();
      await consumer.start();
      await waitFor(() => texts().length === 2, { describe: 'both messages' });
      expect(errors).toEqual([]);
    });

    it('waits at an open transaction, and tells those that end in another order apart', async () => {
      const long = await kafka.admin.begin(topic);
      const short = await kafka.admin.begin(topic);
      await long.send([{ partition: 0, value: 'long, aborted' }]);
      await produce(0, 'plain');
      await short.send([
        { partition: 0, value: 'short, aborted', key: Buffer.alloc(4) },
        { partition: 0, value: 'short too' },
      ]);
      await short.abort();
      const { consumer, texts, batches } = consume();
      await consumer.start();
      await produce(1, 'elsewhere');
      await waitFor(() => texts(1).length === 1, { describe: 'the other partition' });
      expect(texts(0)).toEqual([]);
      await long.send([{ partition: 0, value: 'long again' }]);
      await long.abort();
      await produce(0, 'last');
      await waitFor(() => texts(0).includes('last'), { describe: 'the last message' });
      expect(texts(0)).toEqual(['plain', 'last']);
      expect(batches.filter((b) => b.partition === 0).at(-1)?.nextOffset).toBe(8n);
    });

    it('retries a batch that holds nothing but aborted records, like any other', async () => {
      await kafka.admin.transaction(topic, [{ partition: 0, value: 'never' }], 'abort');
      let failures = 2;
      const { consumer, batches, errors } = consume({
        onBatch: async () => {
          if (failures-- > 0) throw new Error('not now');
        },
      });
      await consumer.start();
      await waitFor(() => batches.length === 1, { describe: 'the batch' });
      expect(batches[0]).toMatchObject({ fetchedOffset: 0n, nextOffset: 2n, messages: [] });
      expect(errors).toEqual([new Error('not now'), new Error('not now')]);
    });
  });

  describe('failing batches', () => {
    it('come again, in order, while other partitions go on', async () => {
      await produce(0, 'a', 'b');
      let broken = true;
      const { consumer, texts, errors } = consume({
        partitionsAtOnce: 1,
        onBatch: async ({ partition }) => {
          if (partition === 0 && broken) throw new Error('broken');
        },
      });
      await consumer.start();
      await waitFor(() => errors.length >= 2, { describe: 'failures' });
      await produce(1, 'x');
      await waitFor(() => texts(1).length === 1, { describe: 'the other partition' });
      expect(texts(0)).toEqual([]);
      broken = false;
      await waitFor(() => texts(0).length > 0, { describe: 'the batch' });
      expect(texts(0)).toEqual(['a', 'b']);
    });
  });

  describe('assignments', () => {
    it('are announced before their first batch, until the owner has taken them', async () => {
      await produce(0, 'a', 'b', 'c');
      let refusals = 2;
      const { consumer, batches, errors } = consume({
        onAssigned: async (partitions) => {
          expect([...partitions].sort((a, b) => a.partition - b.partition)).toEqual([
            { topic, partition: 0 },
            { topic, partition: 1 },
          ]);
          if (refusals-- > 0) throw new Error('the database is away');
          consumer.seek(topic, 0, 2n);
        },
      });
      await consumer.start();
      await waitFor(() => batches.length > 0, { describe: 'the batch' });
      expect(errors).toHaveLength(2);
      expect(batches).toMatchObject([{ fetchedOffset: 2n, nextOffset: 3n }]);
    });

    it('move between consumers; a batch in hand learns of it and counts as not handled', async () => {
      await produce(0, 'a');
      await produce(1, 'b');
      const revoked: unknown[] = [];
      const entered = Promise.withResolvers<void>();
      const lost = Promise.withResolvers<void>();
      let hold = true;
      const first = consume({
        partitionsAtOnce: 2,
        onRevoked: (partitions) => void revoked.push(...partitions),
        onBatch: async (batch) => {
          if (!hold) return;
          entered.resolve();
          await waitFor(() => !batch.isRunning(), { describe: 'the batch to be taken away' });
          hold = false;
          lost.resolve();
        },
      });
      await first.consumer.start();
      await entered.promise;
      const second = consume();
      const joining = second.consumer.start();
      await lost.promise;
      await joining;
      await waitFor(() => first.consumer.assigned().length === 1 && second.consumer.assigned().length === 1, {
        describe: 'a fair share',
      });
      expect(revoked).toHaveLength(1);
      const all = () =>
        new Set(
          [0, 1].flatMap((p) => [...second.texts(p), ...first.batches.slice(2).flatMap((b) => b.messages.map(String))]),
        );
      await waitFor(() => [0, 1].every((p) => second.texts(p).length + first.texts(p).length > 0) && all(), {
        describe: 'both again',
      });
      const mine = second.consumer.assigned()[0]?.partition ?? -1;
      await waitFor(() => second.texts(mine).length === 1, { describe: 'the other consumer to have it' });
    });

    it('include partitions added later', async () => {
      const assigned: number[] = [];
      const { consumer, batches } = consume({ onAssigned: (partitions) => void assigned.push(partitions.length) });
      await consumer.start();
      await waitFor(() => assigned.at(-1) === 2, { describe: 'two partitions' });
      await kafka.admin.addPartitions(topic, 3);
      await produce(2, 'new');
      await waitFor(() => batches.some((b) => b.partition === 2), { describe: 'the new partition', timeoutMs: 45_000 });
      expect(assigned.at(-1)).toBe(3);
    });
  });

  describe('the owner', () => {
    it('seeks and the batch in hand is dropped', async () => {
      await produce(0, 'a', 'b', 'c');
      let sought = false;
      const { consumer, batches } = consume({
        onBatch: async (batch) => {
          if (sought) return;
          sought = true;
          consumer.seek(topic, 0, 1n);
          expect(batch.isRunning()).toBe(false);
        },
      });
      await consumer.start();
      await waitFor(() => batches.length === 2, { describe: 'the sought batch' });
      expect(batches.map((b) => b.fetchedOffset)).toEqual([0n, 1n]);
      await produce(0, 'd');
      await waitFor(() => batches.length === 3, { describe: 'the next batch' });
      expect(batches[2]?.fetchedOffset).toBe(3n);
    });

    it('pauses and nothing is lost', async () => {
      await produce(0, 'a');
      let paused = false;
      const { consumer, batches, texts } = consume({
        onBatch: async ({ partition }) => {
          if (paused || partition !== 0) return;
          paused = true;
          consumer.pause(topic, 0);
        },
      });
      await consumer.start();
      await waitFor(() => batches.length === 1, { describe: 'the batch' });
      await produce(0, 'b');
      await produce(1, 'x');
      await waitFor(() => texts(1).length === 1, { describe: 'the other partition' });
      expect(batches.filter((b) => b.partition === 0)).toHaveLength(1);
      consumer.resume(topic, 0);
      await waitFor(() => texts(0).includes('b'), { describe: 'what came meanwhile' });
      expect(texts(0)).toEqual(['a', 'a', 'b']); // the batch in hand was not handled
    });

    it('is told when the log no longer has what it is at', async () => {
      await produce(0, 'a', 'b', 'c');
      const told: unknown[] = [];
      const { consumer, batches } = consume({
        onAssigned: () => consumer.seek(topic, 0, 0n),
        onOffsetOutOfRange: (at) => void told.push(at),
      });
      await kafka.admin.deleteRecords(topic, 0, 2n);
      await consumer.start();
      await waitFor(() => batches.length === 1, { describe: 'the rest' });
      expect(told).toEqual([{ topic, partition: 0 }]);
      expect(batches).toMatchObject([{ fetchedOffset: 2n, nextOffset: 3n }]);
      consumer.seek(topic, 0, 100n);
      await waitFor(() => told.length === 2, { describe: 'a word about an offset beyond the end' });
    });
  });

  it('tells of a topic that was made anew and grew past the position while nothing was fetched', async () => {
    await produce(0, 'old');
    const gate = Promise.withResolvers<void>();
    const told: string[] = [];
    const { consumer, batches } = consume({
      onTopicGone: () => told.push('gone'),
      onBatch: async ({ fetchedOffset }) => {
        told.push(`from ${fetchedOffset}`);
        if (fetchedOffset === 0n) await gate.promise;
      },
    });
    await consumer.start();
    await waitFor(() => told.length > 0, { describe: 'the batch in hand' });
    await kafka.admin.deleteTopic(topic);
    await waitFor(async () => !(await kafka.connection.topicExists(topic)), { describe: 'the topic to go' });
    await kafka.admin.createTopic(topic, 2);
    await waitFor(() => produce(0, 'new', 'newer').then(() => true), { describe: 'a topic that takes messages' });
    gate.resolve();
    await waitFor(() => batches.length === 2, { describe: 'what the new one has' });
    expect(told).toEqual(['from 0', 'gone', 'from 1']);
  });

  it('tells the group how far it is, also at the end', async () => {
    await produce(0, 'a', 'b');
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'never' }], 'abort');
    const { consumer, batches } = consume();
    await consumer.start();
    await waitFor(() => batches.at(-1)?.nextOffset === 4n, { describe: 'the end' });
    await waitFor(async () => (await kafka.admin.committedOffsets('g', topic)).some(({ offset }) => offset === 4n), {
      describe: 'the committed offset',
    });
    await consumer.stop();
    const again = consume();
    await again.consumer.start();
    await produce(0, 'c');
    await waitFor(() => again.batches.length > 0, { describe: 'the next batch' });
    expect(again.batches[0]?.fetchedOffset).toBe(4n);
  });

  it('waits for the batch in hand when it stops, and starts nothing more', async () => {
    await produce(0, 'a');
    await produce(1, 'b');
    const entered = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<void>();
    const { consumer, batches } = consume({
      partitionsAtOnce: 1,
      onBatch: async () => {
        entered.resolve();
        await leave.promise;
      },
    });
    await consumer.start();
    await entered.promise;
    let stopped = false;
    const stopping = consumer.stop().then(() => (stopped = true));
    await kafka.connection.clusterId();
    expect(stopped).toBe(false);
    leave.resolve();
    await stopping;
    expect(batches).toHaveLength(1);
  });

  describe('when the broker is away', () => {
    let connection: FaultyConnection;

    beforeEach(() => {
      connection = new FaultyConnection({ ...kafka.config, publishTimeoutMs: 1000 });
    });

    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
      await connection.close();
      await waitFor(() => connection.openSockets === 0, { describe: 'all sockets closed' });
    });

    it('goes on by itself, without a gap', async () => {
      const { consumer, batches, errors, texts } = consume({}, connection);
      await produce(0, 'before');
      await consumer.start();
      await waitFor(() => texts().length === 1, { describe: 'the first message' });
      connection.takeDown();
      await waitFor(() => errors.length >= 2, { describe: 'complaints', timeoutMs: 40_000 });
      expect(errors.at(-1)).toMatchObject({ code: 'broker_unavailable', retryable: true });
      await produce(0, 'meanwhile');
      connection.restore();
      await waitFor(() => texts().includes('meanwhile'), { describe: 'what came meanwhile', timeoutMs: 40_000 });
      expect(texts()).toEqual(['before', 'meanwhile']);
      expect(batches).toHaveLength(2);
    });

    it('starts as soon as it is there', async () => {
      connection.takeDown();
      const { consumer, errors, texts } = consume({}, connection);
      await consumer.start();
      expect(errors).not.toHaveLength(0);
      await produce(0, 'a');
      connection.restore();
      await waitFor(() => texts().length === 1, { describe: 'the message', timeoutMs: 30_000 });
    });

    it('survives connections that break all the time', async () => {
      const { consumer, texts } = consume({}, connection);
      await consumer.start();
      let cuts = 0;
      const breaker = setInterval(() => {
        connection.cut();
        cuts += 1;
      }, 200);
      const values: string[] = [];
      while (cuts < 20) {
        values.push(`${values.length}`);
        await produce(values.length % 2, values.at(-1) ?? '');
      }
      clearInterval(breaker);
      const seen = () => new Set([...texts(0), ...texts(1)]);
      await waitFor(() => seen().size === values.length, { describe: 'all messages', timeoutMs: 40_000 });
      for (const partition of [0, 1]) {
        const firsts = [...new Set(texts(partition))].map(Number);
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
      }
    }, 100_000);

    it.each(['takeDown', 'freeze'] as const)('stops all the same (%s)', async (fault) => {
      const { consumer, texts } = consume({}, connection);
      await produce(0, 'a');
      await consumer.start();
      await waitFor(() => texts().length === 1, { describe: 'the message' });
      connection[fault]();
      await expect(consumer.stop()).resolves.toBeUndefined();
    });
  });
});
