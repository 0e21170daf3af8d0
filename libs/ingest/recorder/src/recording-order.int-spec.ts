import { type Border, migrations, PositionStore, RewindStore } from '@delivery/ingest/store';
import type { Transaction } from '@delivery/platform/postgres';
import { testDatabase, testKafka, waitFor, type TestDatabase, type TestKafka } from '@delivery/platform/testing';
import { Recorder } from './recorder';
import type { LogMessage, LogSource, Prepared, TopicRecorder } from './topic-recorder';

const topic = 'consent.events.v1';
const rejectedTopic = 'consent.events.rejected.v1';
const consumer = 'consent';

/** Records texts, and which of them were recorded together. */
class TextRecorder implements TopicRecorder<string> {
  readonly topic = topic;
  readonly rejectedTopic = rejectedTopic;

  prepare(message: LogMessage): Prepared<string> {
    return { message, value: String(message.value) };
  }

  async record(tx: Transaction, batch: readonly { message: LogMessage; value: string }[], { partition }: LogSource) {
    const texts = batch.map(({ value }) => value).join('');
    await tx.query('INSERT INTO text_recorded (partition, texts) VALUES ($1, $2)', [partition, texts]);
    return { duplicates: 0, suppressed: 0, rejected: [] };
  }
}

let test: TestDatabase;
let kafka: TestKafka;
const running: Recorder[] = [];
const positions = new PositionStore();
const rewinds = new RewindStore();

beforeAll(async () => {
  test = await testDatabase({ migrations });
  await test.database.query('CREATE TABLE text_recorded (number serial, partition int, texts text NOT NULL)');
});
afterAll(() => test.close());
beforeEach(async () => {
  kafka = await testKafka([
    { name: topic, partitions: 2, config: {} },
    { name: rejectedTopic, partitions: 1, config: {} },
  ]);
  await test.database.query('TRUNCATE text_recorded, ingest_position, ingest_rejection, ingest_rewind, ingest_border');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((recorder) => recorder.stop()));
  await kafka.close();
});

async function start(): Promise<Recorder> {
  const nothing = () => undefined;
  const observer = {
    began: nothing,
    owns: nothing,
    counted: nothing,
    recorded: nothing,
    behind: nothing,
    stopped: nothing,
    resumed: nothing,
    failed: nothing,
  };
  const options = { consumer, groupId: 'record', topics: [new TextRecorder()], batchSize: 100 };
  const recorder = new Recorder(
    { database: test.database, connection: kafka.connection, observer },
    { ...options, recheckMs: 100, stalledMs: 60_000 },
  );
  running.push(recorder);
  await recorder.start();
  return recorder;
}

const stop = async () => Promise.all(running.splice(0).map((recorder) => recorder.stop()));
const produce = (partition: number, texts: string) =>
  kafka.admin.produce(
    topic,
    [...texts].map((value) => ({ partition, value })),
  );
const all = () => positions.readAll(test.database, consumer);
const place = (partition: number, nextOffset: bigint) => ({ topic, partition, epoch: 1, nextOffset });
const reached = (first: bigint, second: bigint) =>
  waitFor(async () => (await all()).map(({ nextOffset }) => nextOffset).join() === [first, second].join(), {
    describe: `the partitions at ${first} and ${second}`,
  });
/** What Kafka was told has to be there before a database is taken for one that went back. */
const told = (first: bigint, second: bigint) =>
  waitFor(
    async () =>
      (await kafka.connection.committed('record', topic)).map(({ offset }) => offset).join() === [first, second].join(),
    {
      describe: `offsets ${first} and ${second} to be committed`,
    },
  );
const held = () =>
  waitFor(async () => (await all()).every((position) => position.held && position.status === 'stopped'), {
    describe: 'all partitions to wait for the operator',
  });
const recorded = async () =>
  (
    await test.database.query<{ partition: number; texts: string }>(
      'SELECT partition, texts FROM text_recorded ORDER BY number',
    )
  ).map(({ partition, texts }) => `${partition}${texts}`);

/** The database as it is now, to come back to. */
async function backUp(): Promise<() => Promise<void>> {
  const tables = ['text_recorded', 'ingest_position', 'ingest_rewind', 'ingest_border'];
  for (const table of tables) {
    await test.database.query(`DROP TABLE IF EXISTS backup_${table}`);
    await test.database.query(`CREATE TABLE backup_${table} AS TABLE ${table}`);
  }
  return async () => {
    await test.database.query(`TRUNCATE ${tables.join(', ')}`);
    for (const table of tables) await test.database.query(`INSERT INTO ${table} TABLE backup_${table}`);
  };
}

const settle = (recordedTo: bigint[], borders: Border[]) =>
  test.database.transaction((tx) =>
    rewinds.settle(
      tx,
      consumer,
      recordedTo.map((offset, partition) => place(partition, offset)),
      borders,
    ),
  );

/** ab|c, then backed up, then de|- up to the border, then g|f. */
async function recordedAndRestored(): Promise<void> {
  await produce(0, 'ab');
  await produce(1, 'c');
  await start();
  await reached(2n, 1n);
  const restore = await backUp();
  await produce(0, 'de');
  await reached(4n, 1n);
  await produce(1, 'f');
  await reached(4n, 2n);
  await produce(0, 'g');
  await reached(5n, 2n);
  await told(5n, 2n);
  await stop();
  await restore();
}

it('records nothing in a database that went back, and says why', async () => {
  await recordedAndRestored();
  const recorder = await start();
  await held();
  await produce(1, 'h');
  expect(recorder.faults()).toHaveLength(2);
  expect(recorder.faults()[0]).toMatch(/partition 0 of consent.events.v1 up to offset 5.*deliveries reconcile$/);
  await reached(2n, 1n);
  expect((await recorded()).join()).not.toContain('d');
});

it('records again in the order of the borders, in batches that end at them', async () => {
  await recordedAndRestored();
  const before = await recorded();
  await start();
  await held();
  await settle([5n, 2n], [[place(0, 4n), place(1, 1n)]]);
  await reached(5n, 2n);
  const again = (await recorded()).slice(before.length);
  expect(again[0]).toBe('0de');
  expect(again.slice(1).sort()).toEqual(['0g', '1f']);
  expect((await all()).map(({ held: waits, status }) => [waits, status])).toEqual(Array(2).fill([false, 'running']));
});

it('waits in one partition for the others, whichever comes first', async () => {
  await recordedAndRestored();
  const before = await recorded();
  await settle(
    [5n, 2n],
    [
      [place(0, 3n), place(1, 1n)],
      [place(0, 3n), place(1, 2n)],
      [place(0, 5n), place(1, 2n)],
    ],
  );
  await start();
  await reached(5n, 2n);
  expect((await recorded()).slice(before.length)).toEqual(['0d', '1f', '0eg']);
});

it('is not held again by what was reconciled before it started', async () => {
  await recordedAndRestored();
  await settle([5n, 2n], []);
  await start();
  await reached(5n, 2n);
  await produce(0, 'h');
  await reached(6n, 2n);
});

it('is noticed while it runs and nothing arrives', async () => {
  await produce(0, 'ab');
  await start();
  await reached(2n, 0n);
  const restore = await backUp();
  await produce(0, 'c');
  await reached(3n, 0n);
  await restore();
  await held();
});

it('takes offsets of an earlier life of the topic for what they are', async () => {
  await recordedAndRestored();
  const start1 = { consumer, topic, partition: 0, clusterId: await kafka.connection.clusterId(), firstOffset: 0n };
  await settle([5n, 2n], []);
  await test.database.query('DELETE FROM ingest_rewind');
  await test.database.transaction((tx) => positions.beginEpoch(tx, start1));
  await test.database.transaction((tx) => positions.beginEpoch(tx, { ...start1, partition: 1 }));
  await start();
  await reached(5n, 2n);
});
