import { consentEventsTopic } from '@delivery/consent/schema';
import { waitFor } from '@delivery/platform/testing';
import { randomBytes } from 'node:crypto';
import { keyOf, numberHeader, type WireEvent, workload } from '../../../tools/oracle';
import { build, Customer, perfect, World } from '../../../tools/world';

jest.setTimeout(600_000);

let world: World;
let urls: { api: string; ingest: string };

beforeAll(async () => {
  build('consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3', 'exporter-gcs');
  world = await World.open();
  const [ingest, api] = await Promise.all([
    // Single events are answered as recorded, however long that takes.
    world.start('consent-ingest', { INGEST_ANSWER_WAIT_MS: '30000' }),
    world.start('integrations-api'),
    world.start('scheduler', { SCHEDULER_TICK_SECONDS: '1' }),
    world.start('exporter-s3', { EXPORT_POLL_SECONDS: '1' }),
    world.start('exporter-gcs', { EXPORT_POLL_SECONDS: '1' }),
  ]);
  urls = { api: api.url, ingest: ingest.url };
});
afterAll(() => world?.close());

async function customer(id: string): Promise<Customer> {
  return Customer.signIn(world, await world.organization(id), urls);
}

const bucketName = () => `e2e-${randomBytes(6).toString('hex')}`;

function event(organization: string, id: string, user: string, more: Partial<WireEvent> = {}): WireEvent {
  return {
    organization_id: organization,
    id,
    source: 'preference-center',
    user: { id: user, organization_user_id: `${user}@example.com` },
    consents: { purposes: [{ id: 'cookies', enabled: true }] },
    ...more,
  };
}

it("a producer's event reaches the bucket once", async () => {
  const acme = await customer('acme');
  const exports = [await acme.exportToS3(), await acme.exportToGcs(bucketName())];
  await world.publish(workload({ organization: 'acme', users: 300, messages: 2000, guests: 0.1, poison: true }));
  for (let n = 0; n < 20; n += 1) {
    const answer = await acme.post({
      id: `rest-${n}`,
      user: { organization_user_id: `rest-${n % 7}` },
      consents: { tcfcs: `CP${n}` },
    });
    expect(answer.status).toBe(200);
  }
  for (const exported of exports) await acme.deliver(exported);
  await world.locate();
  for (const exported of exports) {
    const verdict = await acme.verdict(exported);
    expect(verdict).toMatchObject({ ...perfect, runs: 1, produced: 2020 });
    expect(verdict.delivered).toBe(verdict.expected);
    expect(verdict.delivered).toBeGreaterThan(1500);
    expect(verdict.withheld.guests).toBeGreaterThan(0);
  }
});

it('an id sent twice is one event', async () => {
  const twice = await customer('twice');
  const exported = await twice.exportToS3();
  const first = event('twice', 'one', 'u1');
  const other = event('twice', 'one', 'u1', { consents: { purposes: [{ id: 'cookies', enabled: false }] } });
  await world.publish([{ event: first }, { event: other }]);
  await twice.deliver(exported);
  await expect(twice.send('POST', '/v1/consents/events', other)).resolves.toMatchObject({
    status: 200,
    body: { id: 'one', consents: { purposes: [{ id: 'cookies', enabled: true }] } },
  });
  world.ledger.event(other, 'rest');
  const second = await twice.deliver(exported);
  await world.locate();
  await expect(twice.verdict(exported)).resolves.toMatchObject({
    ...perfect,
    runs: 2,
    expected: 1,
    delivered: 1,
    users: 1,
  });
  expect(second).toMatchObject({ status: 'completed', metrics: { users: 0 } });
});

it('a pending event does not count', async () => {
  const pending = await customer('pending');
  const exported = await pending.exportToS3();
  const refusal: Partial<WireEvent> = {
    status: 'pending_approval',
    consents: { purposes: [{ id: 'cookies', enabled: false }] },
  };
  await world.publish([
    { event: event('pending', 'a', 'u1') },
    { event: event('pending', 'b', 'u1', refusal) },
    { event: event('pending', 'c', 'only-pending', refusal) },
  ]);
  const log = await pending.deliver(exported);
  await world.locate();
  expect(log.metrics.users).toBe(1);
  await expect(pending.verdict(exported)).resolves.toMatchObject({
    ...perfect,
    delivered: 1,
    withheld: { pending: 2 },
  });
  const [run] = (await pending.delivery(exported)).runs;
  expect(run?.lines).toMatchObject([
    {
      user: { id: 'u1', version: 1, consents: { purposes: [{ id: 'cookies', enabled: true }] } },
      events: [{ id: 'a' }],
    },
  ]);
  await expect(pending.send('GET', '/v1/consents/events/b')).resolves.toMatchObject({
    status: 200,
    body: { status: 'pending_approval' },
  });
});

it('a tenant sees only its own', async () => {
  const [one, two] = [await customer('tenant-one'), await customer('tenant-two')];
  // One bucket, and the same ids of users and events: only the organization tells them apart.
  const shared = bucketName();
  const exports = [
    { owner: one, exported: await one.exportToGcs(shared) },
    { owner: two, exported: await two.exportToGcs(shared) },
    { owner: one, exported: await one.exportToS3() },
  ];
  const choice = (enabled: boolean) => ({ consents: { purposes: [{ id: 'cookies', enabled }] } });
  await world.publish(
    Array.from({ length: 50 }, (_, n) => [
      { event: event(one.id, `same-${n}`, `user-${n % 5}`, choice(true)) },
      { event: event(two.id, `same-${n}`, `user-${n % 5}`, choice(false)) },
    ]).flat(),
  );
  for (const { owner, exported } of exports) await owner.deliver(exported);
  await world.locate();
  for (const { owner, exported } of exports) {
    await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, delivered: 50, users: 5 });
  }
  const [ofOne, ofTwo] = exports.map(({ exported }) => exported.id);
  for (const path of [`/v1/marketplace/integrations/${ofOne}`, `/v1/marketplace/integrations/${ofOne}/runs`]) {
    await expect(two.send('GET', path)).resolves.toMatchObject({ status: 404 });
  }
  await expect(one.send('POST', '/v1/exports/execute', { export_id: ofTwo })).resolves.toMatchObject({ status: 404 });
  await expect(two.send('GET', `/v1/consents/users/user-1?organization_id=${one.id}`)).resolves.toMatchObject({
    status: 403,
  });
  const own = { purposes: [{ id: 'cookies', enabled: false }] };
  await expect(two.send('GET', '/v1/consents/users/user-1')).resolves.toMatchObject({
    status: 200,
    body: { consents: own },
  });
});

it('a day without events', async () => {
  const quiet = await customer('quiet');
  const exports = [await quiet.exportToS3(), await quiet.exportToGcs(bucketName())];
  for (const exported of exports) {
    const log = await quiet.deliver(exported);
    expect(log).toMatchObject({ status: 'completed', metrics: { users: 0 }, files: 0 });
    const folder = `data/export-id=${exported.id}/date=${log.date}/users/`;
    const objects = await exported.bucket.list(`data/export-id=${exported.id}/`);
    expect(objects.map(({ key }) => key).sort()).toEqual([`${folder}_SUCCESS`, `${folder}_manifest-${log.id}.json`]);
    expect(objects.find(({ key }) => key.endsWith('_SUCCESS'))?.bytes).toBe(0);
    await expect(quiet.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 1, delivered: 0 });
  }
});

it('two runs on one day', async () => {
  const busy = await customer('busy');
  const exported = await busy.exportToS3();
  const items = workload({ organization: 'busy', users: 40, messages: 600, seed: 3 });
  await world.publish(items.slice(0, 300));
  const first = await busy.deliver(exported);
  const afterFirst = await busy.delivery(exported);
  await world.publish(items.slice(300));
  const second = await busy.deliver(exported);
  await world.locate();

  const delivery = await busy.delivery(exported);
  expect(delivery.runs.map(({ run }) => run).sort()).toEqual([first.id, second.id].sort());
  // A midnight between the two would only make two folders of one.
  if (first.date === second.date) expect(new Set(delivery.runs.map(({ folder }) => folder)).size).toBe(1);
  await expect(busy.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 2 });
  // The first delivery is still what it was.
  expect(delivery.runs.find(({ run }) => run === first.id)).toEqual(afterFirst.runs[0]);
});

it('a transaction holds up a window until it ends, and no longer', async () => {
  const careful = await customer('careful');
  const exported = await careful.exportToS3();
  const partitions = [0, 1, 2];
  const message = (partition: number, sent: WireEvent, headers: Record<string, string> = {}) => ({
    partition,
    key: keyOf(sent),
    value: JSON.stringify(sent),
    headers,
  });
  const committed = partitions.map((partition) => {
    const sent = event('careful', `kept-${partition}`, `user-${partition}`);
    return message(partition, sent, { [numberHeader]: String(world.ledger.event(sent).number) });
  });
  const aborted = partitions.map((partition) =>
    message(partition, event('careful', `aborted-${partition}`, `user-${partition}`)),
  );
  await world.kafka.admin.transaction(consentEventsTopic, committed, 'commit');
  // The log of every partition ends in records that no reader is ever given.
  await world.kafka.admin.transaction(consentEventsTopic, aborted, 'abort');
  const open = await world.kafka.admin.begin(consentEventsTopic);
  await open.send(aborted);

  await world.database.query(
    `UPDATE export_schedule SET anchor_at = now() - interval '1 day', next_due_at = now() WHERE integration_id = $1`,
    [exported.id],
  );
  const waitingText = `SELECT waiting_for FROM export_schedule WHERE integration_id = $1 AND waiting_for ~ 'transaction'`;
  await waitFor(async () => (await world.database.query(waitingText, [exported.id])).length > 0, {
    describe: 'the run to say that it waits for the open transaction',
    timeoutMs: 40_000,
  });
  await open.abort();
  const log = await waitFor(async () => (await careful.logs(exported)).find(({ status }) => status === 'completed'), {
    describe: 'the due run to be planned and delivered',
    timeoutMs: 120_000,
  });
  expect(log).toMatchObject({ trigger: 'schedule', metrics: { users: 3 } });
  await world.locate();
  await expect(careful.verdict(exported)).resolves.toMatchObject({ ...perfect, delivered: 3 });
});
