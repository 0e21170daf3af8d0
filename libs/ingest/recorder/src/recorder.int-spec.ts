import { type Counters, migrations, PositionStore, RejectionStore } from '@delivery/ingest/store';
import { TopicAdmin } from '@delivery/platform/kafka';
import type { Transaction } from '@delivery/platform/postgres';
import { testDatabase, testKafka, waitFor, type TestDatabase, type TestKafka } from '@delivery/platform/testing';
import { Recorder, type RecorderOptions } from './recorder';
import type { LogMessage, Prepared, TopicRecorder } from './topic-recorder';

jest.setTimeout(400_000);

const topic = 'consent.events.v1';
const rejectedTopic = 'consent.events.rejected.v1';
const specs = [
  { name: topic, partitions: 2, config: {} },
  { name: rejectedTopic, partitions: 1, config: {} },
];

/** Records texts into a table of its own; "poison" is refused by validation, a NUL by Postgres. */
class TextRecorder implements TopicRecorder<string> {
  readonly topic = topic;
  readonly rejectedTopic = rejectedTopic;
  /** What goes wrong with every batch. */
  fault: Error | undefined;
  /** Goes wrong the first time that this text comes without a NUL beside it. */
  failsOnce: string | undefined;
  /** When the texts arrived that were recorded. */
  readonly arrivals = new Map<string, Date>();

  prepare(message: LogMessage): Prepared<string> {
    const value = String(message.value);
    if (value !== 'poison') return { message, value };
    return {
      message,
      organizationId: undefined,
      reasons: [{ field: '', code: 'poison', message: 'as sent: \0\ud800' }],
    };
  }

  async record(tx: Transaction, batch: readonly { message: LogMessage; value: string }[]) {
    if (this.fault) throw this.fault;
    const texts = batch.map(({ value }) => value);
    if (this.failsOnce && texts.includes(this.failsOnce) && !texts.join('').includes('\0')) {
      this.failsOnce = undefined;
      throw new Error('for a test');
    }
    for (const { message, value } of batch) {
      await tx.query('INSERT INTO text_recorded (value) VALUES ($1)', [value]);
      this.arrivals.set(value, message.arrivedAt);
    }
    return { duplicates: 0, suppressed: 0, rejected: [] };
  }
}

describe('Recorder', () => {
  let test: TestDatabase;
  let kafka: TestKafka;
  const running: Recorder[] = [];
  /** What the operator was told of stopped partitions. */
  const told: string[] = [];
  /** Every transaction that it was told of. */
  const counted: (Counters & { partition: number })[] = [];
  const positions = new PositionStore();

  beforeAll(async () => {
    test = await testDatabase({ migrations });
    await test.database.query('CREATE TABLE text_recorded (value text NOT NULL)');
  });
  afterAll(() => test.close());

  beforeEach(async () => {
    kafka = await testKafka(specs);
    await test.database.query('TRUNCATE text_recorded, ingest_position, ingest_rejection');
    told.length = 0;
    counted.length = 0;
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((recorder) => recorder.stop()));
    await kafka.close();
  });

  async function start(options: Partial<RecorderOptions> = {}): Promise<Recorder> {
    const observer = {
      began: () => undefined,
      owns: () => undefined,
      counted: (_: string, partition: number, counts: Counters) => void counted.push({ partition, ...counts }),
      recorded: () => undefined,
      behind: () => undefined,
      stopped: (_: string, partition: number) => void told.push(`${partition} stopped`),
      resumed: (_: string, partition: number) => void told.push(`${partition} goes on`),
      failed: () => undefined,
    };
    const recorder = new Recorder(
      { database: test.database, connection: kafka.connection, observer },
      {
        consumer: 'consent',
        groupId: 'record',
        topics: [new TextRecorder()],
        batchSize: 100,
        recheckMs: 200,
        stalledMs: 1200,
        ...options,
      },
    );
    running.push(recorder);
    await recorder.start();
    return recorder;
  }

  async function stop(recorder: Recorder): Promise<void> {
    running.splice(running.indexOf(recorder), 1);
    await recorder.stop();
  }

  const texts = async () =>
    (await test.database.query<{ value: string }>('SELECT value FROM text_recorded ORDER BY value')).map(
      (r) => r.value,
    );
  const position = (partition: number) => positions.find(test.database, 'consent', topic, partition);
  const reached = (partition: number, offset: bigint) =>
    waitFor(async () => (await position(partition))?.nextOffset === offset, {
      describe: `partition ${partition} at ${offset}`,
    });
  const stored = (partition: number, status: string) =>
    waitFor(async () => (await position(partition))?.status === status, {
      describe: `partition ${partition} to be ${status}`,
    });
  const produce = (partition: number, values: (string | null)[]) =>
    kafka.admin.produce(
      topic,
      values.map((value) => ({ partition, value })),
    );

  it('records each message once, also when it starts again', async () => {
    await produce(0, ['a', 'b']);
    const first = await start();
    await reached(0, 2n);
    await stop(first);
    await produce(0, ['c']);
    await produce(1, ['d']);
    await start();
    await Promise.all([reached(0, 3n), reached(1, 1n)]);
    await expect(texts()).resolves.toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes nothing to have arrived before what was recorded already, whatever the clocks of brokers say', async () => {
    await produce(0, ['a']);
    const first = await start();
    await reached(0, 1n);
    await stop(first);
    await test.database.query(
      `UPDATE ingest_position SET arrived_at = '2099-01-01T00:00:00Z' WHERE topic_id = 1 AND partition = 0`,
    );
    await produce(0, ['b', 'poison']);
    await produce(1, ['c']);
    const recorder = new TextRecorder();
    await start({ topics: [recorder] });
    await Promise.all([reached(0, 3n), reached(1, 1n)]);
    const late = new Date('2099-01-01T00:00:00Z');
    expect(recorder.arrivals.get('b')).toEqual(late);
    expect(recorder.arrivals.get('c')?.getTime()).toBeLessThan(late.getTime());
    await expect(position(0)).resolves.toMatchObject({ arrivedAt: late, status: 'running' });
    const rejections = await test.database.query<{ arrived_at: Date }>('SELECT arrived_at FROM ingest_rejection');
    expect(rejections).toEqual([{ arrived_at: late }]);
    expect(told).toEqual([]);
  });

  it('keeps going past poison, and accounts for every message', async () => {
    await produce(0, ['a', 'poison', 'nul \0', 'b', null, ...Array.from({ length: 250 }, (_, i) => `n${i}`)]);
    await start();
    await reached(0, 255n);
    expect((await texts()).length).toBe(253);
    await expect(position(0)).resolves.toMatchObject({ recorded: 253n, rejected: 2n, duplicates: 0n, control: 0n });
    const rows = await test.database.query<{ log_offset: string; code: string }>(
      `SELECT log_offset, reasons->0->>'code' AS code FROM ingest_rejection ORDER BY 1`,
    );
    expect(rows).toEqual([
      { log_offset: '1', code: 'poison' },
      { log_offset: '2', code: 'refused_by_database' },
    ]);
  });

  it('tells of each message once, also when half of a range is recorded and the other half fails', async () => {
    const recorder = new TextRecorder();
    recorder.failsOnce = 'later';
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'poison' }], 'commit');
    await produce(0, ['a', 'nul \0', 'b', 'c', 'later', 'd']);
    await start({ topics: [recorder] });
    await reached(0, 8n);
    expect(recorder.failsOnce).toBeUndefined();
    const stored = await position(0);
    const sum = (outcome: keyof Counters) => counted.reduce((total, each) => total + each[outcome], 0n);
    for (const outcome of ['recorded', 'duplicates', 'rejected', 'suppressed', 'control'] as const) {
      expect([outcome, sum(outcome)]).toEqual([outcome, stored?.[outcome]]);
    }
    expect([sum('recorded'), sum('rejected'), sum('control')]).toEqual([5n, 2n, 1n]);
  });

  it('copies rejections to their topic once, as they came', async () => {
    await produce(1, ['poison']);
    await start();
    await waitFor(async () => (await kafka.connection.watermarks(rejectedTopic))[0]?.high === 1n, {
      describe: 'the copy',
    });
    await waitFor(
      async () =>
        (await test.database.query('SELECT 1 FROM ingest_rejection WHERE published_at IS NOT NULL')).length === 1,
      { describe: 'the mark' },
    );
    await test.database.transaction(async (tx) =>
      expect(await new RejectionStore().lockUnpublished(tx, topic, 10)).toEqual([]),
    );
  });

  it('copies large rejections a few at a time', async () => {
    const store = new RejectionStore();
    const rejection = (offset: bigint) => ({
      ...{ topicId: 1, epoch: 1, partition: 0, offset, organizationId: undefined, key: null, headers: {}, reasons: [] },
      ...{ value: Buffer.alloc(offset === 0n ? 5_000_000 : 1_000_000), arrivedAt: new Date(Number(offset)) },
    });
    await store.insert(test.database, [0n, 1n, 2n, 3n, 4n, 5n].map(rejection));
    const portions: bigint[][] = [];
    for (let left = 6; left > 0; left -= portions.at(-1)?.length ?? left) {
      await test.database.transaction(async (tx) => {
        const locked = await store.lockUnpublished(tx, topic, 100);
        portions.push(locked.map(({ offset }) => offset));
        await store.markPublished(tx, locked);
      });
    }
    expect(portions).toEqual([[0n], [1n, 2n, 3n, 4n], [5n]]);
  });

  it('moves over transaction markers and aborted messages', async () => {
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'a' }], 'commit');
    await kafka.admin.transaction(topic, [{ partition: 0, value: 'never' }], 'abort');
    await start();
    await reached(0, 4n);
    await expect(position(0)).resolves.toMatchObject({ recorded: 1n, control: 3n });
    await expect(texts()).resolves.toEqual(['a']);
  });

  it('lets two recorders share the work and records nothing twice', async () => {
    await Promise.all([start(), start()]);
    const values = Array.from({ length: 400 }, (_, i) => `v${String(i).padStart(3, '0')}`);
    for (let i = 0; i < values.length; i += 40) {
      await produce(i % 80 === 0 ? 0 : 1, values.slice(i, i + 40));
      if (i === 160) {
        const [one] = running;
        if (one) await stop(one);
      }
      if (i === 240) await start();
    }
    await Promise.all([reached(0, 200n), reached(1, 200n)]);
    await expect(texts()).resolves.toEqual(values);
  });

  it('stops at a topic that was recreated, and goes on with a new epoch', async () => {
    await produce(0, ['a', 'b', 'c']);
    const first = await start();
    await reached(0, 3n);
    await stop(first);
    await kafka.admin.deleteTopic(topic);
    await waitFor(() => kafka.admin.createTopic(topic, 2).then(() => true), { describe: 'the new topic' });
    await produce(0, ['x', 'y', 'z', 'w']);
    const second = await start();
    await waitFor(() => second.faults().length > 0, { describe: 'the fault' });
    expect(second.faults()[0]).toMatch(/another message at offset 2.*recreated.*new-epoch consent.events.v1 0/);
    await expect(texts()).resolves.toEqual(['a', 'b', 'c']);
    await stored(0, 'stopped');
    const clusterId = await kafka.connection.clusterId();
    await test.database.transaction((tx) =>
      positions.beginEpoch(tx, { consumer: 'consent', topic, partition: 0, clusterId, firstOffset: 0n }),
    );
    await waitFor(async () => (await texts()).length === 7, { describe: 'the new log' });
    await expect(position(0)).resolves.toMatchObject({ epoch: 2, nextOffset: 4n, status: 'running' });
    expect(second.faults()).toEqual([]);
    expect(told).toEqual(['0 stopped', '0 goes on']);
  });

  const recreate = async (partitions: number) => {
    await kafka.admin.deleteTopic(topic);
    await waitFor(() => kafka.admin.createTopic(topic, partitions).then(() => true), { describe: 'the new topic' });
  };
  /** Between the old topic and the new one it may say that there is none. */
  const stopsWith = (recorder: Recorder, fault: RegExp) =>
    waitFor(() => recorder.faults().some((each) => fault.test(each)), { describe: String(fault), timeoutMs: 120_000 });

  it('stops at a topic that is recreated while it runs, though nothing is in it', async () => {
    await produce(0, ['a', 'b', 'c']);
    const recorder = await start();
    await reached(0, 3n);
    await recreate(2);
    await stopsWith(recorder, /offset 3 is next, but the log ends at 0.*new-epoch/);
  });

  it('stops at a topic that is recreated while it runs, and grows beyond the position at once', async () => {
    await produce(0, ['a']);
    await produce(1, ['b', 'c', 'd']);
    const recorder = await start();
    await reached(0, 1n);
    await reached(1, 3n);
    await recreate(2);
    await produce(0, ['x', 'y', 'z']);
    await produce(1, ['1', '2', '3', '4', '5']);
    await waitFor(() => recorder.faults().length === 2, { describe: 'both partitions to stop', timeoutMs: 120_000 });
    await expect(texts()).resolves.toEqual(['a', 'b', 'c', 'd']);
  });

  it('compares the log again after a failure, however long that lasted', async () => {
    await produce(0, ['a']);
    const texting = new TextRecorder();
    const recorder = await start({ topics: [texting] });
    await reached(0, 1n);
    texting.fault = new Error('on purpose');
    await produce(0, ['b']);
    await recreate(2);
    await produce(0, ['x', 'y', 'z']);
    texting.fault = undefined;
    await stopsWith(recorder, /the topic was recreated/);
    await expect(texts()).resolves.toEqual(['a']);
  });

  it('tells which partitions a recreated topic lacks', async () => {
    await produce(1, ['a']);
    const first = await start();
    await reached(1, 1n);
    await stop(first);
    await recreate(1);
    const second = await start();
    await stopsWith(second, /partition 1 .* stopped at offset 1: the topic has no such partition/);
    await stored(1, 'stopped');
    await produce(0, ['b']);
    await waitFor(async () => (await texts()).length === 2, { describe: 'the partition that is there' });
  });

  it('tells of a partition that stands still, until it moves', async () => {
    const texting = new TextRecorder();
    texting.fault = new Error('on purpose');
    await produce(0, ['a', 'b']);
    const recorder = await start({ topics: [texting] });
    await stopsWith(recorder, /Partition 0 .* stands still at offset 0, with 2 messages behind/);
    texting.fault = undefined;
    await waitFor(() => recorder.faults().length === 0, { describe: 'the recovery' });
    await expect(texts()).resolves.toEqual(['a', 'b']);
  });

  it('knows a rejection by its place and by its event: another message may have stood there', async () => {
    await kafka.admin.produce(topic, [{ partition: 0, value: 'poison' }]);
    await start();
    await reached(0, 1n);
    await test.database.query(`UPDATE ingest_rejection SET message_value = '{"id":"one"}'`);
    const has = (offset: bigint, id: string) =>
      new RejectionStore().has(test.database, topic, { partition: 0, offset }, id);
    await expect(Promise.all([has(0n, 'one'), has(0n, 'two'), has(1n, 'one')])).resolves.toEqual([true, false, false]);
  });

  it('keeps the headers of a rejection as bytes', async () => {
    const headers = { one: Buffer.from([0xff, 0x00]), 'two ü': 'text' };
    await kafka.admin.produce(topic, [{ partition: 0, value: 'poison', headers }]);
    await start();
    await reached(0, 1n);
    const [row] = await test.database.query<{ message_headers: Record<string, string> }>(
      'SELECT message_headers FROM ingest_rejection',
    );
    const decoded = Object.entries(row?.message_headers ?? {}).map((pair) => pair.map((t) => Buffer.from(t, 'base64')));
    expect(decoded).toEqual([
      [Buffer.from('one'), headers.one],
      [Buffer.from('two ü'), Buffer.from('text')],
    ]);
  });

  it('reports the extent of what left the log before it was recorded', async () => {
    await produce(0, ['a', 'b']);
    const first = await start();
    await reached(0, 2n);
    await stop(first);
    await produce(0, ['c', 'd', 'e']);
    await kafka.admin.deleteRecords(topic, 0, 4n);
    const second = await start();
    await waitFor(() => second.faults().length > 0, { describe: 'the fault' });
    expect(second.faults()[0]).toMatch(/offsets 2 to 3 \(2 in all\) left the log/);
    await produce(1, ['other']);
    await reached(1, 1n);
    await expect(texts()).resolves.toEqual(['a', 'b', 'other']);
  });

  it('reports what left the log while it could not record, though the log is empty now', async () => {
    const texting = new TextRecorder();
    texting.fault = new Error('on purpose');
    await produce(0, ['a', 'b']);
    const recorder = await start({ topics: [texting] });
    await waitFor(async () => (await position(0)) !== undefined, { describe: 'the position' });
    await kafka.admin.deleteRecords(topic, 0, 2n);
    await stopsWith(recorder, /offsets 0 to 1 \(2 in all\) left the log/);
    texting.fault = undefined;
    await produce(0, ['c']);
    await produce(1, ['other']);
    await reached(1, 1n);
    await expect(texts()).resolves.toEqual(['other']);
  });

  it('picks up partitions that are added', async () => {
    await start();
    await produce(0, ['a']);
    await reached(0, 1n);
    await kafka.connection.ensureTopics([{ name: topic, partitions: 3, config: {} }]);
    const admin = new TopicAdmin(kafka.connection); // the other one's producer does not know the partition
    await admin.produce(topic, [{ partition: 2, value: 'b' }]);
    await admin.close();
    await waitFor(async () => (await position(2))?.nextOffset === 1n, {
      describe: 'the new partition',
      timeoutMs: 120_000,
    });
  });

  it("refuses a topic that is compacted or has the producer's times", async () => {
    await kafka.admin.deleteTopic(topic);
    await waitFor(() => kafka.admin.createTopic(topic, 1, { 'cleanup.policy': 'compact' }).then(() => true), {
      describe: 'the compacted topic',
    });
    await expect(start()).rejects.toThrow(/cleanup.policy=compact/);
    running.length = 0;
  });
});
