import { type FaultProxy, type Rule, startFaultProxy } from '@delivery/destinations/testing';
import { waitFor } from '@delivery/platform/testing';
import { randomBytes, randomInt } from 'node:crypto';
import { type Outgoing, workload } from '../../../tools/oracle';
import { build, type CreatedExport, Customer, perfect, S3Server, World } from '../../../tools/world';

/** Exporters that look for work by themselves, and whose runs are soon given to others. */
const restless = { EXPORT_POLL_SECONDS: '1', EXPORT_LEASE_SECONDS: '3', EXPORT_RETRY_BASE_SECONDS: '1' };

jest.setTimeout(600_000);

let world: World;
let urls: { api: string; ingest: string };
let s3: S3Server;
let proxy: FaultProxy;

beforeAll(async () => {
  build('consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3', 'exporter-gcs');
  world = await World.open();
  const [ingest, api] = await Promise.all([
    world.start('consent-ingest'),
    world.start('integrations-api'),
    world.start('scheduler', { SCHEDULER_TICK_SECONDS: '1' }),
  ]);
  urls = { api: api.url, ingest: ingest.url };
  s3 = new S3Server(world);
  proxy = await startFaultProxy(world.environment['S3_ENDPOINT'] ?? '');
});
afterAll(async () => {
  await proxy?.close();
  s3?.close();
  await world?.close();
});
afterEach(() => proxy.release());

async function customer(id: string): Promise<Customer> {
  return Customer.signIn(world, await world.organization(id), urls);
}

/** Events that gzip cannot make small: a few hundred are more than one part of an upload. */
function bulky(organization: string, count: number): Outgoing[] {
  return Array.from({ length: count }, (_, n) => ({
    event: {
      organization_id: organization,
      id: `bulky-${n}`,
      source: 'api',
      user: { id: `user-${n % 50}`, organization_user_id: `customer-${n % 50}` },
      metadata: { noise: randomBytes(12_000).toString('base64') },
    },
  }));
}

const isPart: Rule['matches'] = ({ method, url }) => method === 'PUT' && url.includes('partNumber=');

async function filesOf(exported: CreatedExport): Promise<string[]> {
  return (await exported.bucket.list(`data/export-id=${exported.id}/`)).map(({ key }) =>
    key.slice(key.lastIndexOf('/') + 1),
  );
}

it('a broken bucket says what to fix and the retry uses the repaired one', async () => {
  const exporter = await world.start('exporter-gcs', restless);
  const owner = await customer('broken');
  const bucket = `e2e-${randomBytes(6).toString('hex')}`;
  const exported = await owner.exportToGcs(bucket);
  await owner.removeGcsBucket(bucket);

  await world.publish(workload({ organization: 'broken', users: 20, messages: 100 }));
  await world.recorded();
  const failed = await owner.ended(exported, await owner.execute(exported));
  expect(failed).toMatchObject({ status: 'failed', result: expect.stringContaining(`"${bucket}"`) });
  expect(failed.result).toMatch(/does not exist|Create/);

  const repaired = `${bucket}-repaired`;
  await owner.makeGcsBucket(repaired);
  const changed = await owner.send('PATCH', `/v1/marketplace/integrations/${exported.id}`, {
    properties: { bucket_name: repaired },
  });
  expect(changed.status).toBe(200);
  const inRepaired = { ...exported, bucketName: repaired, bucket: owner.gcs(repaired) };
  // The failed run keeps its window and does not stop the next, which names it as missing.
  await world.publish(workload({ organization: 'broken', users: 20, messages: 100, seed: 2 }));
  const next = await owner.deliver(inRepaired);
  expect(next.missing).toEqual([failed.id]);
  const retry = await owner.send('POST', `/v1/marketplace/integrations/${exported.id}/runs/${failed.id}/retry`);
  expect(retry).toMatchObject({ status: 200, body: { id: failed.id, status: 'pending' } });
  await expect(owner.ended(exported, failed.id)).resolves.toMatchObject({ status: 'completed', result: null });
  await world.locate();
  await expect(owner.verdict(inRepaired)).resolves.toMatchObject({ ...perfect, runs: 2 });
  await exporter.stop();
});

it('the exporter dies mid-upload and another finishes', async () => {
  const owner = await customer('dies');
  const exported = await owner.exportToS3();
  await world.publish(bulky('dies', 1500));
  await world.recorded();
  const doomed = await world.start('exporter-s3', { ...restless, S3_ENDPOINT: proxy.endpoint });
  proxy.inject({ fault: { kind: 'hold' }, times: 100, matches: isPart });
  const run = await owner.execute(exported);
  await proxy.waitForHeld(1);
  await expect(s3.unfinishedUploads(exported.bucketName)).resolves.toHaveLength(1);
  await doomed.kill();
  await expect(filesOf(exported)).resolves.toEqual([]);

  const other = await world.start('exporter-s3', restless);
  const log = await owner.ended(exported, run);
  expect(log.status).toBe('completed');
  // A lease of three seconds may be lost once more by an exporter that gets no processor.
  expect(log.attempt).toBeGreaterThan(1);
  await expect(s3.unfinishedUploads(exported.bucketName)).resolves.toEqual([]);
  await world.locate();
  await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 1, delivered: 1500 });
  await other.stop();
});

it('exporters killed again and again in the middle deliver all of it once', async () => {
  const owner = await customer('again');
  const exported = await owner.exportToS3();
  await world.database.query(`UPDATE export_schedule SET spec = spec || '{"max_rows": 2}' WHERE integration_id = $1`, [
    exported.id,
  ]);
  await world.publish(workload({ organization: 'again', users: 60, messages: 400 }));
  await world.recorded();
  const run = await owner.execute(exported);
  // Somewhere among the requests of an attempt, and at the last two, which say that it is whole.
  const requests = [randomInt(1, 12), randomInt(1, 12), randomInt(1, 12)].map((count) => () => (count -= 1) === 0);
  const closing = [/_manifest-/, /_SUCCESS/].map(
    (name) =>
      ({ method, url }: { method: string; url: string }) =>
        method === 'PUT' && name.test(url),
  );
  for (const matches of [...requests, ...closing]) {
    proxy.inject({ fault: { kind: 'hold' }, times: 1, matches });
    const doomed = await world.start('exporter-s3', { ...restless, S3_ENDPOINT: proxy.endpoint });
    await proxy.waitForHeld(1);
    await doomed.kill();
    proxy.drop();
    const delivery = await owner.delivery(exported);
    expect(delivery).toMatchObject({ runs: [], faults: [] });
  }
  const last = await world.start('exporter-s3', restless);
  await expect(owner.ended(exported, run)).resolves.toMatchObject({ status: 'completed' });
  await expect(s3.unfinishedUploads(exported.bucketName)).resolves.toEqual([]);
  await world.locate();
  await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 1 });
  await last.stop();
});

it('an exporter that lost its lease writes nothing more', async () => {
  const owner = await customer('loses');
  const exported = await owner.exportToS3();
  await world.publish(bulky('loses', 1500));
  await world.recorded();
  const frozen = await world.start('exporter-s3', { ...restless, S3_ENDPOINT: proxy.endpoint });
  proxy.inject({ fault: { kind: 'hold' }, times: 100, matches: isPart });
  const run = await owner.execute(exported);
  await proxy.waitForHeld(1);
  frozen.signal('SIGSTOP');

  const other = await world.start('exporter-s3', restless);
  const log = await owner.ended(exported, run);
  expect(log.status).toBe('completed');
  expect(log.attempt).toBeGreaterThan(1);
  const before = await s3.state(exported.bucketName);
  const requests = proxy.log.length;

  frozen.signal('SIGCONT');
  proxy.release();
  await waitFor(() => world.logOf(frozen).includes('"outcome":"lost"'), {
    describe: 'the frozen exporter to notice',
    timeoutMs: 120_000,
  });
  const later = proxy.log
    .slice(requests)
    .filter((line) => !line.startsWith('GET ') && !/^DELETE .*uploadId=/.test(line));
  expect(later).toEqual([]);
  await expect(s3.state(exported.bucketName)).resolves.toEqual(before);
  await expect(s3.unfinishedUploads(exported.bucketName)).resolves.toEqual([]);
  expect((await owner.logs(exported))[0]).toMatchObject({ status: 'completed', attempt: log.attempt });
  await world.locate();
  await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 1, delivered: 1500 });

  // It lost a run, not its mind: alone, it delivers the next one.
  await other.stop();
  await world.publish(workload({ organization: 'loses', users: 5, messages: 20 }));
  await owner.deliver(exported);
  await world.locate();
  await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 2 });
  await frozen.stop();
});

it('a run that failed leaves nothing beside the _SUCCESS of another', async () => {
  const owner = await customer('leaves');
  const exported = await owner.exportToS3();
  await world.database.query(`UPDATE export_schedule SET spec = spec || '{"max_rows": 10}' WHERE integration_id = $1`, [
    exported.id,
  ]);
  const exporter = await world.start('exporter-s3', { ...restless, S3_ENDPOINT: proxy.endpoint });
  const denied = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
  proxy.inject({
    fault: { kind: 'answer', status: 403, body: denied, headers: { 'content-type': 'application/xml' } },
    times: 1,
    matches: ({ method, url }) => method === 'PUT' && url.includes('-000002.json.gz'),
  });
  await world.publish(workload({ organization: 'leaves', users: 50, messages: 200 }));
  await world.recorded();
  const failed = await owner.ended(exported, await owner.execute(exported));
  expect(failed).toMatchObject({ status: 'failed' });

  await world.publish(workload({ organization: 'leaves', users: 50, messages: 200, seed: 2 }));
  const next = await owner.deliver(exported);
  const delivery = await owner.delivery(exported);
  // A customer's job reads every file of the folder now.
  expect(delivery).toMatchObject({ faults: [], runs: [{ run: next.id }] });
  await owner.send('POST', `/v1/marketplace/integrations/${exported.id}/runs/${failed.id}/retry`);
  await owner.ended(exported, failed.id);
  await world.locate();
  await expect(owner.verdict(exported)).resolves.toMatchObject({ ...perfect, runs: 2 });
  await exporter.stop();
});
