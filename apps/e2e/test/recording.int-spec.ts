import { consentEventsRejectedTopic, consentEventsTopic } from '@delivery/consent/schema';
import { waitFor } from '@delivery/platform/testing';
import { beginEpoch } from '../../../tools/admin';
import { poisonFor, workload } from '../../../tools/oracle';
import type { ServiceProcess } from '../../../tools/services';
import { build, judgeRecorded, perfect, World } from '../../../tools/world';

jest.setTimeout(600_000);

let world: World;
beforeAll(() => build('consent-ingest'));
beforeEach(async () => {
  world = await World.open();
  await world.organization('acme');
});
afterEach(() => world.close());

const recorder = (environment: Record<string, string> = {}): Promise<ServiceProcess> =>
  world.start('consent-ingest', { INGEST_ROLES: 'record', ...environment });

/** Every offset passed is in exactly one counter, and the counters are those of what was produced. */
async function expectCountersToAddUp(): Promise<void> {
  const { recorded, duplicates, rejected, suppressed, control, passed } = await world.counters();
  const events = world.ledger.produced.flatMap(({ event }) => event?.id ?? []);
  const distinct = new Set(events).size;
  const poison = world.ledger.produced.length - events.length;
  expect({
    recorded,
    duplicates,
    rejected,
    suppressed,
    sum: recorded + duplicates + rejected + suppressed + control,
  }).toEqual({
    recorded: distinct,
    duplicates: events.length - distinct,
    rejected: poison,
    suppressed: 0,
    sum: passed,
  });
}

it('poison does not stop the partition', async () => {
  await world.publish(workload({ organization: 'acme', users: 50, messages: 400, poison: true }));
  await recorder();
  await world.recorded();
  await world.locate();
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject(perfect);
  await expectCountersToAddUp();

  const poison = world.ledger.produced.filter(({ event }) => event === undefined);
  expect(poison).toHaveLength(poisonFor('acme').length);
  const copies = await waitFor(
    async () => {
      const found = await world.readTopic(consentEventsRejectedTopic);
      return found.length >= poison.length && found;
    },
    { describe: 'every rejection in the rejected topic', timeoutMs: 120_000 },
  );
  const codes = new Map(
    copies.map(({ headers }) => [
      `${headers['rejected-partition']}/${headers['rejected-offset']}`,
      reasonCodes(headers),
    ]),
  );
  expect(copies).toHaveLength(poison.length);
  for (const { places, reason } of poison) {
    expect(codes.get(`${places[0]?.partition}/${places[0]?.offset}`)).toContain(reason);
  }
});

function reasonCodes(headers: Readonly<Record<string, string>>): string[] {
  const reasons: { code: string }[] = JSON.parse(headers['rejected-reasons'] ?? '[]');
  return reasons.map(({ code }) => code);
}

it('the recorder dies mid-batch and nothing is lost or doubled', async () => {
  const kills = 4;
  const items = workload({ organization: 'acme', users: 800, messages: 16_000, poison: true });
  // Small batches, so that a kill at any moment meets a transaction under way.
  const environment = { INGEST_BATCH_SIZE: '25', KAFKA_SESSION_TIMEOUT_MS: '6000' };
  const share = items.length / (kills + 1);
  await world.publish(items.slice(0, share));
  const passedAtKills: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const service = await recorder(environment);
    const publishing = world.publish(items.slice(kill * share, (kill + 1) * share));
    const before = (await world.counters()).passed;
    await waitFor(async () => (await world.counters()).passed > before + 100 * kill, {
      describe: 'the recorder to be at work',
      timeoutMs: 120_000,
    });
    await service.kill();
    passedAtKills.push((await world.counters()).passed);
    await publishing;
  }
  await recorder(environment);
  await world.recorded();
  await world.locate();

  // Each kill met a recorder that still had something to do, or this test would show nothing.
  for (const [kill, passed] of passedAtKills.entries()) expect(passed).toBeLessThan((kill + 1) * share);
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject({ ...perfect, produced: 16_000 });
  await expectCountersToAddUp();
});

it('two recorders get one id', async () => {
  // The same ids in all partitions at once, under different users: whoever comes first wins, everywhere.
  const environment = { INGEST_BATCH_SIZE: '20', KAFKA_SESSION_TIMEOUT_MS: '6000' };
  await Promise.all([recorder(environment), recorder(environment)]);
  const ids = Array.from({ length: 500 }, (_, n) => `id-${n}`);
  const event = (id: string, partition: number) => ({
    partition,
    event: {
      organization_id: 'acme',
      id,
      source: 'api',
      user: { id: `user-${partition}-${Number(id.slice(3)) % 40}`, organization_user_id: `c-${partition}` },
      consents: { purposes: [{ id: 'cookies', enabled: partition === 0 }] },
    },
  });
  for (let n = 0; n < ids.length; n += 50) {
    for (const turn of [0, 1, 2]) {
      await world.publish(ids.slice(n, n + 50).map((id) => event(id, (n / 50 + turn) % 3)));
      // Each partition is first with some ids for certain; for the others they race.
      if (n < 150 && turn === 0) await world.recorded();
    }
  }
  await world.recorded();
  await world.locate();
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject({
    ...perfect,
    produced: 1500,
    expected: 500,
    delivered: 500,
  });
  await expectCountersToAddUp();
  const recording = (await world.positions()).filter(
    ({ topic, recorded }) => topic === consentEventsTopic && recorded > 0n,
  );
  expect(recording).toHaveLength(3);
});

it('users whose events lie in all partitions are folded right by three recorders that lose their sessions', async () => {
  const environment = { INGEST_BATCH_SIZE: '50', KAFKA_SESSION_TIMEOUT_MS: '6000' };
  await Promise.all([recorder(environment), recorder(environment), recorder(environment)]);
  const items = workload({ organization: 'acme', users: 20, messages: 3000, seed: 3 });
  const publishing = world.publish(items.map((item, n) => ({ ...item, partition: n % 3 })));
  for (const passed of [300, 1000, 1700]) {
    await waitFor(async () => (await world.counters()).passed > passed, {
      describe: 'the recorders to be at work',
      timeoutMs: 120_000,
    });
    await world.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'consent-ingest' AND datname = current_database()`,
    );
  }
  await publishing;
  await world.recorded();
  await world.locate();
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject({ ...perfect, produced: 3000, users: 20 });
  await expectCountersToAddUp();
});

it('a recreated topic is noticed', async () => {
  await world.publish(workload({ organization: 'acme', users: 20, messages: 300 }));
  const first = await recorder();
  await world.recorded();
  await world.locate();
  await first.stop();
  const before = await world.counters();

  await world.kafka.admin.deleteTopic(consentEventsTopic);
  await waitFor(async () => (await world.kafka.connection.topicFaults(consentEventsTopic)).length > 0, {
    describe: 'the topic to go',
    timeoutMs: 120_000,
  });
  await world.kafka.admin.createTopic(consentEventsTopic, 3);
  // More messages than before: offsets alone would not tell the new log from the old one.
  await world.publish(workload({ organization: 'acme', users: 20, messages: 900, seed: 2 }));
  const second = world.launch('consent-ingest', { INGEST_ROLES: 'record' });
  const stopped = await waitFor(
    async () => {
      const positions = (await world.positions()).filter(({ topic }) => topic === consentEventsTopic);
      return positions.every(({ status }) => status === 'stopped') && positions;
    },
    { describe: 'all partitions to stop', timeoutMs: 120_000 },
  );
  expect(second.running).toBe(true);
  for (const { partition, stoppedReason } of stopped) {
    expect(stoppedReason).toMatch(new RegExp(`partition ${partition} of ${consentEventsTopic} stopped`));
    expect(stoppedReason).toContain(`npm run admin -- ingest new-epoch ${consentEventsTopic} ${partition}`);
  }
  await expect(world.counters()).resolves.toEqual(before);

  // What the sentence tells the operator to do: the new log is recorded after the old one, in a new epoch.
  for (const partition of [0, 1, 2])
    await beginEpoch(
      { database: world.database, kafka: world.kafka.connection },
      consentEventsTopic,
      partition,
      'earliest',
    );
  await world.recorded();
  world.forgetPlaces();
  await world.locate(() => 2);
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject({ ...perfect, produced: 1200 });
  await expectCountersToAddUp();
});
