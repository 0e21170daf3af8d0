import { type FaultProxy, startFaultProxy } from '@delivery/destinations/testing';
import { loadConfig } from '@delivery/platform/config';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { stackEnvironment, waitFor } from '@delivery/platform/testing';
import { randomBytes } from 'node:crypto';
import { runCommand } from '../../../tools/admin';
import { type Outgoing, workload } from '../../../tools/oracle';
import { build, type CreatedExport, Customer, perfect, World } from '../../../tools/world';

jest.setTimeout(900_000);

const partitions = 3;
/** Exporters that look for work by themselves, and whose runs are soon given to others. */
const restless = { EXPORT_POLL_SECONDS: '1', EXPORT_LEASE_SECONDS: '5', EXPORT_RETRY_BASE_SECONDS: '1' };

let world: World;
let proxy: FaultProxy;
let server: Database;
let owner: Customer;

beforeAll(async () => {
  build('consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3', 'exporter-gcs');
  world = await World.open({ partitions });
  proxy = await startFaultProxy(world.environment['S3_ENDPOINT'] ?? '');
  server = await new Database(loadConfig(PostgresConfig, stackEnvironment()), { applicationName: 'test' }).open();
});
afterAll(async () => {
  await proxy?.close();
  await world?.close();
  await server?.query(`DROP DATABASE IF EXISTS ${backupName()} WITH (FORCE)`);
  await server?.close();
});
afterEach(() => proxy.release());

const databaseName = () => new URL(world.test.config.url).pathname.slice(1);
const backupName = () => `${databaseName()}_backup`;

/** A copy of a database as it is at this moment; whoever is connected loses the connection. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await server.query(`ALTER DATABASE ${from} ALLOW_CONNECTIONS false`);
  await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1)', [[from, to]]);
  await server.query(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`);
  await server.query(`CREATE DATABASE ${to} TEMPLATE ${from}`);
  for (const name of [from, to]) await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await waitFor(() => world.database.query('SELECT 1').then(() => true), {
    describe: 'connections to be taken again',
    timeoutMs: 120_000,
  });
}

/** Events of the same few users in all partitions. */
async function publish(seed: number, messages = 400): Promise<void> {
  const items = workload({ organization: 'acme', users: 30, messages, seed });
  await world.publish(items.map((item, n) => ({ ...item, partition: n % partitions })));
  await world.recorded();
}

/** The same ids in another partition each time: only the first that was recorded counts. */
async function publishSame(ids: number, partition: number): Promise<void> {
  const items = Array.from({ length: ids }, (_, n): Outgoing => {
    const user = { id: `same-${n}`, organization_user_id: `same-${n}@example.com` };
    const consents = { purposes: [{ id: 'cookies', enabled: partition % 2 === 0 }] };
    return { partition, event: { organization_id: 'acme', id: `same-${n}`, source: 'api', user, consents } };
  });
  await world.publish(items);
  await world.recorded();
}

const admin = (line: string) => runCommand(line.split(' '), () => world.environment);

interface Reconciled {
  integrations: { export_id: string; outcome: string; told: string[] }[];
  went_back: object[];
  released: boolean;
}

async function keysOf(...exports: CreatedExport[]): Promise<string[]> {
  const lists = await Promise.all(exports.map(({ id, bucket }) => bucket.list(`data/export-id=${id}/`)));
  return lists.flat().map(({ key }) => key);
}

it('a database restored from a backup neither doubles nor skips a delivery', async () => {
  const ingest = await world.start('consent-ingest');
  const [api] = await Promise.all([
    world.start('integrations-api'),
    world.start('exporter-s3', { ...restless, S3_ENDPOINT: proxy.endpoint }),
    world.start('exporter-gcs', restless),
    world.start('scheduler', { SCHEDULER_TICK_SECONDS: '1' }),
  ]);
  owner = await Customer.signIn(world, await world.organization('acme'), { api: api.url, ingest: ingest.url });
  const s3 = await owner.exportToS3();
  const gcs = await owner.exportToGcs(`e2e-${randomBytes(6).toString('hex')}`);
  await publish(1);
  await owner.deliver(s3);
  await owner.deliver(gcs);
  await publish(2);

  await copyDatabase(databaseName(), backupName());

  // The hour that will be lost: delivered, failed, delivered, and one under way.
  await publishSame(60, 0);
  await publish(3);
  await owner.deliver(s3);
  await publishSame(60, 1);
  await publish(4);
  await owner.deliver(gcs);
  proxy.inject({ fault: { kind: 'answer', status: 403 }, times: 100, matches: ({ method }) => method === 'PUT' });
  const failed = await owner.ended(s3, await owner.execute(s3));
  expect(failed.status).toBe('failed');
  proxy.release();
  await publishSame(60, 2);
  await publish(5);
  await owner.deliver(s3);
  await publish(6);
  proxy.inject({ fault: { kind: 'hold' }, times: 100, matches: ({ url }) => url.includes('_manifest-') });
  await owner.execute(s3);
  await proxy.waitForHeld(1);
  await ingest.kill();

  await copyDatabase(backupName(), databaseName());

  const before = await keysOf(s3, gcs);
  const restarted = world.launch('consent-ingest', {}, Number(new URL(ingest.url).port));
  await waitFor(async () => (await world.positions()).every(({ held, status }) => held && status === 'stopped'), {
    describe: 'the recorder to notice that the database went back',
    timeoutMs: 120_000,
  });
  expect(world.logOf(restarted)).toContain('npm run admin -- deliveries reconcile');
  await publishUnrecorded();
  await expect(owner.execute(s3)).rejects.toThrow(/409.*deliveries reconcile/);
  proxy.release(); // what was held at its manifest belongs to nobody any more

  const dry = JSON.parse(await admin('deliveries reconcile --dry-run --json')) as Reconciled;
  expect(dry).toMatchObject({ released: false, integrations: [{ outcome: 'changed' }, { outcome: 'changed' }] });
  expect((await keysOf(s3, gcs)).filter((key) => !before.includes(key) && !key.includes('_manifest-'))).toEqual([]);
  const answer = JSON.parse(await admin('deliveries reconcile --json')) as Reconciled;
  expect(answer.released).toBe(true);
  expect(answer.went_back).not.toEqual([]);

  await owner.settled(s3);
  await world.recorded();
  await owner.deliver(s3);
  await owner.deliver(gcs);
  await world.locate();
  for (const exported of [s3, gcs]) {
    const verdict = await owner.verdict(exported);
    expect(verdict).toMatchObject(perfect);
    expect(verdict.delivered).toBe(verdict.expected);
    expect((await owner.delivery(exported)).unfinished).toEqual([]);
  }
  expect(JSON.parse(await admin('deliveries reconcile --json'))).toMatchObject({
    went_back: [],
    integrations: [{ outcome: 'unchanged' }, { outcome: 'unchanged' }],
  });
});

/** Accepted by the log while nothing is recorded. */
async function publishUnrecorded(): Promise<void> {
  const items = workload({ organization: 'acme', users: 30, messages: 200, seed: 7 });
  await world.publish(items.map((item, n) => ({ ...item, partition: n % partitions })));
}
