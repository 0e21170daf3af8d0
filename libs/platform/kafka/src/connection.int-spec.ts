import { testKafka, waitFor, type TestKafka } from '@delivery/platform/testing';
import { FaultyConnection } from '../test/faulty-connection';
import { KafkaConnection } from './connection';
import type { TopicSpec } from './topic';

const topic = 'events';

describe('connection', () => {
  let kafka: TestKafka;

  beforeEach(async () => {
    kafka = await testKafka([{ name: topic, partitions: 2, config: { 'retention.ms': '86400000' } }]);
  });

  afterEach(() => kafka.close());

  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'succeeded',
      (error: unknown) => error,
    );

  describe('ensureTopics', () => {
    const wider: TopicSpec = { name: topic, partitions: 4, config: { 'retention.ms': '3600000' } };

    it('adds partitions, reports other differences and changes nothing else', async () => {
      const lines: string[] = [];
      const planned = await kafka.connection.ensureTopics([wider], { dryRun: true });
      await expect(kafka.connection.watermarks(topic)).resolves.toHaveLength(2);
      const done = await kafka.connection.ensureTopics([wider], { progress: (line) => lines.push(line) });
      expect(done).toEqual(planned);
      expect(done.map(({ kind }) => kind)).toEqual(['grown', 'differs']);
      expect(lines).toEqual([
        `${kafka.connection.topicName(topic)}: partitions 2 -> 4`,
        `${kafka.connection.topicName(topic)}: has retention.ms=86400000, not 3600000`,
      ]);
      const fresh = new KafkaConnection(kafka.config);
      await waitFor(async () => (await fresh.watermarks(topic)).length === 4, { describe: 'four partitions' });
      await fresh.close();
    });

    it('does nothing twice, and never takes partitions away', async () => {
      const same: TopicSpec = { name: topic, partitions: 2, config: { 'retention.ms': '86400000' } };
      await expect(kafka.connection.ensureTopics([same])).resolves.toEqual([]);
      const narrower = await kafka.connection.ensureTopics([{ ...same, partitions: 1 }]);
      expect(narrower).toMatchObject([{ kind: 'differs', detail: expect.stringContaining('has 2 partitions, not 1') }]);
      await expect(kafka.connection.watermarks(topic)).resolves.toHaveLength(2);
    });

    it('lets several create the same topic at once', async () => {
      const spec: TopicSpec = { name: 'contested', partitions: 3, config: {} };
      const connections = [1, 2, 3].map(() => new KafkaConnection(kafka.config));
      await Promise.all(connections.map((connection) => connection.ensureTopics([spec])));
      await expect(kafka.connection.watermarks('contested')).resolves.toHaveLength(3);
      await expect(kafka.connection.topicFaults('contested')).resolves.toEqual([]);
      await Promise.all(connections.map((connection) => connection.close()));
      await kafka.admin.deleteTopic('contested');
    });
  });

  it('names what makes a topic unfit', async () => {
    const unfit = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' };
    await kafka.admin.createTopic('compacted', 1, unfit);
    await expect(kafka.connection.topicFaults(topic)).resolves.toEqual([]);
    const faults = await kafka.connection.topicFaults('compacted');
    expect(faults.join(' ')).toMatch(/message.timestamp.type=CreateTime.*cleanup.policy=compact/);
    await expect(kafka.connection.topicFaults('absent')).resolves.toEqual([expect.stringContaining('does not exist')]);
    await kafka.admin.deleteTopic('compacted');
  });

  it('tells the ends of the log, also after its beginning was removed', async () => {
    await kafka.admin.produce(
      topic,
      ['a', 'b', 'c'].map((value) => ({ partition: 1, value })),
    );
    await kafka.admin.deleteRecords(topic, 1, 2n);
    await expect(kafka.connection.watermarks(topic)).resolves.toEqual([
      { partition: 0, low: 0n, high: 0n, stable: 0n },
      { partition: 1, low: 2n, high: 3n, stable: 3n },
    ]);
  });

  it('finds the first offset at or after a time, and the end when there is none', async () => {
    await kafka.admin.produce(topic, [{ partition: 1, value: 'x', timestamp: new Date('2099-01-01') }]);
    const at = (offset: number) => kafka.connection.offsetsAt(topic, new Date(Date.now() + offset));
    await expect(at(-60_000)).resolves.toMatchObject([
      { partition: 0, offset: 0n, high: 0n },
      { partition: 1, offset: 0n, high: 1n },
    ]);
    await expect(at(60_000)).resolves.toMatchObject([
      { partition: 0, offset: 0n },
      { partition: 1, offset: 1n },
    ]);
  });

  it('tells where the log ends behind an open transaction, and where reading does', async () => {
    const ends = async () => (await kafka.connection.watermarks(topic))[1];
    const at = async (offset: number) =>
      (await kafka.connection.offsetsAt(topic, new Date(Date.now() + offset)))[1]?.offset;
    await kafka.admin.produce(topic, [{ partition: 1, value: 'a' }]);
    const open = await kafka.admin.begin(topic);
    await open.send([{ partition: 1, value: 'b' }]);
    await kafka.admin.produce(topic, [{ partition: 1, value: 'c' }]);
    await expect(ends()).resolves.toEqual({ partition: 1, low: 0n, high: 3n, stable: 1n });
    await expect(at(60_000)).resolves.toBe(3n);
    await expect(at(-60_000)).resolves.toBe(0n);
    await open.abort();
    await waitFor(async () => (await ends())?.stable === 4n, { describe: 'the end of the transaction' });
    await expect(ends()).resolves.toMatchObject({ high: 4n });
  });

  it('still answers after it was asked about a topic that is gone', async () => {
    await kafka.admin.createTopic('gone', 1);
    await kafka.connection.watermarks('gone');
    await kafka.admin.deleteTopic('gone');
    const asked = () => failure(kafka.connection.watermarks('gone'));
    await waitFor(async () => (await asked()) !== 'succeeded', { describe: 'the topic to be gone' });
    await expect(asked()).resolves.toMatchObject({ code: 'unknown_topic', retryable: false });
    await expect(kafka.connection.watermarks(topic)).resolves.toHaveLength(2);
  });

  it.each(['takeDown', 'freeze'] as const)('gives up when the broker is gone (%s), and recovers', async (fault) => {
    const connection = new FaultyConnection({ ...kafka.config, publishTimeoutMs: 1500 });
    await connection.clusterId();
    connection[fault]();
    const errors = await Promise.all([failure(connection.clusterId()), failure(connection.watermarks(topic))]);
    expect(errors).toMatchObject([
      { code: 'broker_unavailable', retryable: true },
      { code: 'broker_unavailable', retryable: true },
    ]);
    connection.restore();
    await waitFor(() => connection.clusterId(), { describe: 'an answer' });
    await connection.close();
    await waitFor(() => connection.openSockets === 0, { describe: 'all sockets closed' });
  });

  it('says that nobody is there', async () => {
    const lost = new KafkaConnection({ ...kafka.config, brokers: ['127.0.0.1:1'], publishTimeoutMs: 1000 });
    await expect(failure(lost.clusterId())).resolves.toMatchObject({ code: 'broker_unavailable' });
    await lost.close();
  });
});
