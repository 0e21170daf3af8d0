import { testKafka, waitFor, type TestKafka } from '@delivery/platform/testing';
import { FaultyConnection } from '../test/faulty-connection';
import { readLog } from '../test/read-log';
import { KafkaError } from './errors';
import { maxMessageBytes, type PublishedAt } from './publisher';

const topic = 'events';
const narrow = 'narrow';

describe('publisher', () => {
  let kafka: TestKafka;
  const opened: FaultyConnection[] = [];

  beforeEach(async () => {
    kafka = await testKafka([
      { name: topic, partitions: 3, config: {} },
      { name: narrow, partitions: 1, config: { 'max.message.bytes': '2000' } },
    ]);
  });

  afterEach(async () => {
    for (const connection of opened.splice(0)) {
      await connection.close();
      await waitFor(() => connection.openSockets === 0, { describe: 'all sockets closed' });
    }
    await kafka.close();
  });

  function faulty(config: Partial<TestKafka['config']> = {}): FaultyConnection {
    const connection = new FaultyConnection({ ...kafka.config, ...config });
    opened.push(connection);
    return connection;
  }

  /** How it failed, without a turn of the event loop: before anything could be sent, or any time could be up. */
  const atOnce = (work: Promise<unknown>) =>
    Promise.race([failure(work), new Promise((resolve) => setImmediate(() => resolve('it waits')))]);

  /** What the log holds, by partition and offset. */
  async function log(name = topic): Promise<Map<string, string>> {
    const messages = await readLog(kafka.connection, name);
    return new Map(messages.map(({ partition, offset, value }) => [`${partition} ${offset}`, String(value)]));
  }

  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'succeeded',
      (error: unknown) => error,
    );

  const message = (text: string, key = text) => ({ key, value: Buffer.from(text) });

  it('gives each caller the places of its messages, and keeps the order of a key', async () => {
    const publisher = kafka.connection.publisher();
    const calls = Array.from({ length: 60 }, (_, i) =>
      publisher.publish(
        topic,
        [0, 1, 2].map((j) => message(`${i}-${j}`, `key-${j}`)),
      ),
    );
    const places = await Promise.all(calls);
    const found = await log();
    places.forEach((call, i) =>
      call.forEach(({ partition, offset }, j) => expect(found.get(`${partition} ${offset}`)).toBe(`${i}-${j}`)),
    );
    for (const j of [0, 1, 2]) {
      const offsets = places.map((call) => call[j]?.offset ?? -1n);
      expect([...offsets].sort((a, b) => (a < b ? -1 : 1))).toEqual(offsets);
    }
  });

  it('waits for nobody when nothing is under way', async () => {
    const publisher = kafka.connection.publisher();
    await publisher.publish(topic, [message('first')]);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] });
    try {
      await expect(publisher.publish(topic, [message('alone')])).resolves.toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('chooses partitions as Java producers do', async () => {
    // murmur2 as in Kafka's own UtilsTest
    const hashes = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107 };
    for (const [key, hash] of Object.entries(hashes)) {
      const [place] = await kafka.connection.publisher().publish(topic, [message('x', key)]);
      expect(place?.partition).toBe((hash & 0x7fffffff) % 3);
    }
  });

  it('keeps headers, binary values and empty ones', async () => {
    const value = Buffer.from([0, 255, 195, 40]);
    await kafka.connection.publisher().publish(topic, [
      { key: Buffer.from([255]), value, headers: { plain: 'é', binary: Buffer.from([0, 254]) } },
      { key: Buffer.from([255]), value: Buffer.alloc(0) },
    ]);
    const seen = await readLog(kafka.connection, topic);
    expect(seen).toMatchObject([
      { key: Buffer.from([255]), value, headers: { plain: Buffer.from('é'), binary: Buffer.from([0, 254]) } },
      { value: Buffer.alloc(0) },
    ]);
  });

  it('splits what is too much for one request', async () => {
    const big = Array.from({ length: 30 }, (_, i) => message(`${i} ${'x'.repeat(100_000)}`, 'one-key'));
    const places = await kafka.connection.publisher().publish(topic, big);
    expect(places.map(({ offset }) => offset)).toEqual(big.map((_, i) => BigInt(i)));
    const largest = await kafka.connection.publisher().publish(topic, [message('y'.repeat(maxMessageBytes - 1), 'k')]);
    expect(largest).toHaveLength(1);
  });

  it('refuses what no request takes, alone', async () => {
    const publisher = kafka.connection.publisher();
    const over = await failure(publisher.publish(topic, [message('z'.repeat(maxMessageBytes), 'k')]));
    expect(over).toMatchObject({ code: 'message_too_large', retryable: false });

    // the broker's own, smaller limit: beside others in one request
    const results = await Promise.all([
      failure(publisher.publish(narrow, [message('small 1')])),
      failure(publisher.publish(narrow, [message('L'.repeat(5000))])),
      failure(publisher.publish(narrow, [message('small 2')])),
    ]);
    expect(results[0]).toBe('succeeded');
    expect(results[1]).toMatchObject({ code: 'message_too_large', retryable: false });
    expect(results[2]).toBe('succeeded');
    expect(new Set((await log(narrow)).values())).toEqual(new Set(['small 1', 'small 2']));
  });

  it('says at once that a topic does not exist, and others do not wait for it', async () => {
    // Whoever waited until this is over would be too late for Jest.
    const publisher = faulty({ publishTimeoutMs: 600_000 }).publisher();
    const [absent, present] = await Promise.all([
      failure(publisher.publish('absent', [message('x')])),
      failure(publisher.publish(topic, [message('x')])),
    ]);
    expect(absent).toMatchObject({
      code: 'unknown_topic',
      retryable: false,
      message: expect.stringContaining('npm run topics'),
    });
    expect(present).toBe('succeeded');
    await kafka.admin.createTopic('absent', 1);
    await expect(publisher.publish('absent', [message('now')])).resolves.toEqual([{ partition: 0, offset: 0n }]);
    await kafka.admin.deleteTopic('absent');
  });

  it.each(['takeDown', 'freeze'] as const)('gives up when the broker is gone (%s), and recovers', async (fault) => {
    const connection = faulty({ publishTimeoutMs: 1500, publisherStuckSeconds: 1 });
    const publisher = connection.publisher();
    await publisher.publish(topic, [message('before')]);
    connection[fault]();
    const errors = await Promise.all(
      Array.from({ length: 20 }, (_, i) => failure(publisher.publish(topic, [message(`${i}`)]))),
    );
    for (const error of errors) {
      expect(error).toBeInstanceOf(KafkaError);
      expect(error).toMatchObject({ code: 'broker_unavailable', retryable: true });
    }
    await expect(atOnce(publisher.publish(topic, [message('at once')]))).resolves.toMatchObject({ retryable: true });
    await waitFor(() => publisher.faults().length > 0, { describe: 'a sentence about it' });
    expect(publisher.faults()[0]).toMatch(/^Nothing could be published to events for \d+ s: Kafka/);
    connection.restore();
    await waitFor(() => publisher.publish(topic, [message('after')]), { describe: 'publishing again' });
    expect(publisher.faults()).toEqual([]);
  });

  it('has one request find out whether the broker is back, while all others fail at once', async () => {
    const connection = faulty({ publishTimeoutMs: 3000 });
    const publisher = connection.publisher();
    connection.freeze();
    await failure(publisher.publish(topic, [message('first')]));
    const [probing, sent] = [Date.now() + 2000, Date.now() + 2200];
    await waitFor(() => Date.now() > probing, { describe: 'the next try' });
    const probe = failure(publisher.publish(topic, [message('probe')]));
    await waitFor(() => Date.now() > sent, { describe: 'it to be sent' });
    await expect(atOnce(publisher.publish(topic, [message('other')]))).resolves.toMatchObject({ retryable: true });
    connection.restore();
    await probe;
    await waitFor(() => publisher.publish(topic, [message('after')]), { describe: 'publishing again' });
  });

  it('never acknowledges what was not written, however often connections break', async () => {
    const connection = faulty({ publishTimeoutMs: 3000 });
    const publisher = connection.publisher();
    const acknowledged = new Map<string, string>();
    const until = Date.now() + 5000;
    const breaker = setInterval(() => connection.cut(), 350);
    const caller = async (name: number) => {
      for (let i = 0; Date.now() < until; i += 1) {
        const texts = Array.from({ length: 1 + (i % 3) }, (_, j) => `${name}-${i}-${j}`);
        const places = await publisher
          .publish(
            topic,
            texts.map((text) => message(text)),
          )
          .catch(() => undefined);
        places?.forEach(({ partition, offset }: PublishedAt, j) => {
          const at = `${partition} ${offset}`;
          expect(acknowledged.has(at)).toBe(false);
          acknowledged.set(at, texts[j] ?? '');
        });
        if (!places) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, name) => caller(name)));
    clearInterval(breaker);
    connection.restore();
    const found = await log();
    for (const [at, text] of acknowledged) expect([at, found.get(at)]).toEqual([at, text]);
    expect(acknowledged.size).toBeGreaterThan(100);
  });

  it('does not take a new message for the repetition of one whose acknowledgement was lost', async () => {
    const connection = faulty({ publishTimeoutMs: 1000 });
    const publisher = connection.publisher();
    await publisher.publish(topic, [message('first', 'k')]);
    connection.freeze();
    await expect(failure(publisher.publish(topic, [message('lost', 'k')]))).resolves.toMatchObject({ retryable: true });
    await waitFor(async () => (await log()).size === 2, { describe: 'the message to be written all the same' });
    connection.takeDown();
    await waitFor(() => connection.quietFor > 2500, { describe: 'everybody to have given up' });
    // As many messages for the same partition: under the old sequence number they would be the same to the broker.
    connection.restore();
    const [place] = await waitFor(() => publisher.publish(topic, [message('after', 'k')]), {
      describe: 'publishing again',
    });
    expect((await log()).get(`${place?.partition} ${place?.offset}`)).toBe('after');
  });

  it('keeps a message apart from one before it that is being repeated', async () => {
    const connection = faulty({ publishTimeoutMs: 20_000 });
    const publisher = connection.publisher();
    await publisher.publish(topic, [message('first', 'k')]);
    connection.freeze();
    const one = publisher.publish(topic, [message('one', 'k')]);
    await waitFor(async () => (await log()).size === 2, { describe: 'the message on its way' });
    const two = publisher.publish(topic, [message('two', 'k')]);
    const longAgo = Date.now() + 100;
    await waitFor(() => Date.now() > longAgo, { describe: 'the second to be sent, if it is sent beside the first' });
    connection.cut();
    connection.restore();
    const places = [...(await one), ...(await two)].map(({ partition, offset }) => `${partition} ${offset}`);
    const found = await log();
    expect(places.map((place) => found.get(place))).toEqual(['one', 'two']);
    expect([...found.values()]).toEqual(['first', 'one', 'two']);
  });

  it('lets a caller give up, and does not send what was not sent yet', async () => {
    const connection = faulty({ publishTimeoutMs: 20_000 });
    const publisher = connection.publisher();
    await publisher.publish(topic, [message('first')]);
    connection.freeze();
    const stuck = failure(publisher.publish(topic, [message('stuck')]));
    await waitFor(async () => (await log()).size === 2, { describe: 'the message on its way' });
    const abort = new AbortController();
    const given = failure(publisher.publish(topic, [message('given up')], abort.signal));
    abort.abort();
    await expect(given).resolves.toMatchObject({ name: 'AbortError' });
    connection.restore();
    await expect(stuck).resolves.toBe('succeeded');
    await publisher.publish(topic, [message('last')]);
    expect([...(await log()).values()].sort()).toEqual(['first', 'last', 'stuck']);
  });

  it('sends what is waiting when it closes, and nothing afterwards', async () => {
    const connection = faulty();
    const publisher = connection.publisher();
    const last = Promise.all(Array.from({ length: 10 }, (_, i) => publisher.publish(topic, [message(`${i}`)])));
    await publisher.close();
    await expect(last).resolves.toHaveLength(10);
    await expect(failure(publisher.publish(topic, [message('x')]))).resolves.toMatchObject({ code: 'closed' });
  });
});
