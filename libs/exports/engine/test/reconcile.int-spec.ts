import { openFileReader } from '@delivery/destinations/file';
import { storedManifest, verifyChain } from '@delivery/exports/domain';
import { type ExportRun, type IntegrationKey, ReconciliationStore } from '@delivery/exports/store';
import { publicKeyId, verifySignature } from '@delivery/platform/secrets';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findDeliveries, isChange, reconcileIntegration } from '../src';
import { deliveredEvents, ExportWorld } from './export-world';

let world: ExportWorld;
let key: IntegrationKey;
let recorded: number;

beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  key = await world.newIntegration({ split: { maxRows: 1 } });
  recorded = 0;
});
afterEach(() => world.reset());

const events = () => Array.from({ length: recorded }, (_, n) => `e${n}`);

/** Three users' events in one batch. */
async function record(): Promise<void> {
  const batch = [0, 1, 2].map((n) => ({ id: `e${recorded + n}`, user: { organization_user_id: `u${n}` } }));
  await world.record(key.organizationId, batch);
  recorded += batch.length;
}

async function deliverMore(): Promise<ExportRun> {
  await record();
  return world.deliver(key);
}

/** Planned and claimed, and left by its exporter after a few files: a database that is lost in the middle. */
async function leaveHalf(): Promise<ExportRun> {
  await record();
  await world.planned(key);
  const run = await world.claim();
  const sign = () => {
    throw new Error('the database is gone');
  };
  await world.execute(run, { sign });
  return run;
}

/** Planned, and failed before anything was written. */
async function fail(): Promise<ExportRun> {
  await record();
  await world.planned(key);
  const run = await world.claim();
  await world.attempts.fail(world.db, run, { code: 'access_denied', message: 'no' });
  return run;
}

/** What the platform knows of its runs as of now, to come back to. What is recorded is recorded again from Kafka. */
async function backUp(): Promise<() => Promise<void>> {
  const tables = ['export_schedule', 'export_run'];
  for (const table of tables) {
    await world.db.query(`DROP TABLE IF EXISTS backup_${table}`);
    await world.db.query(`CREATE TABLE backup_${table} AS TABLE ${table}`);
  }
  return async () => {
    await world.db.query('TRUNCATE export_run, export_schedule');
    for (const table of tables) await world.db.query(`INSERT INTO ${table} SELECT * FROM backup_${table}`);
  };
}

async function look() {
  const reader = await openFileReader({ root: world.bucket });
  const { publicKey, keyId } = world.signer;
  expect(publicKeyId(publicKey)).toBe(keyId);
  return findDeliveries(
    {
      reader,
      signal: new AbortController().signal,
      verifySignature: (input, { key_id, value }) => {
        if (key_id !== keyId) return 'unknown_key';
        return verifySignature(publicKey, input, value) ? 'valid' : 'invalid';
      },
    },
    key,
    `data/export-id=${key.integrationId}/`,
  );
}

async function reconciled(dryRun = false) {
  const deps = {
    database: world.db,
    schedules: world.schedules,
    runs: world.runs,
    reconciliations: new ReconciliationStore(),
    readSettings: async () => ({ includeGuests: false }),
    dryRun,
  };
  const answer = await reconcileIntegration(deps, key, await look());
  if (answer === undefined) throw new Error('no such integration');
  return answer;
}

/** Executes whatever waits. */
async function executeAll(): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const options = { owner: 'test', leaseSeconds: 30, perOrganization: 10 };
    const run = await world.db.transaction((tx) => world.attempts.claimNext(tx, 'file', options));
    if (run === undefined) return ids;
    expect(await world.execute(run)).toBe('completed');
    ids.push(run.id);
  }
}

async function rows() {
  const found = await world.db.query<{ id: string; status: string; sequence: number }>(
    'SELECT id, status, sequence FROM export_run WHERE integration_id = $1 ORDER BY sequence',
    [key.integrationId],
  );
  return found.map(({ id, status }) => ({ id, status }));
}

/** All that was recorded is in the bucket once, and all that is in the bucket is told of. */
async function expectExactlyOnce(): Promise<void> {
  const { manifests, strays, faults } = await look();
  expect({ strays, faults }).toEqual({ strays: [], faults: [] });
  expect(manifests.every(({ complete }) => complete)).toBe(true);
  const lines = (
    await Promise.all(
      manifests.map(async ({ manifest: { run } }) => {
        const stored = await world.runs.find(world.db, { organizationId: key.organizationId, id: run });
        if (stored === undefined) throw new Error(`${run} is not known`);
        return world.linesOf(stored);
      }),
    )
  ).flat();
  expect([...deliveredEvents(lines)].sort()).toEqual(
    events()
      .map((id) => [id, 1])
      .sort(),
  );
  const stored = await Promise.all(
    manifests.map(async ({ manifest }) => {
      const run = await world.runs.find(world.db, { organizationId: key.organizationId, id: manifest.run });
      return storedManifest(manifest, await world.manifestBytesOf(run as ExportRun));
    }),
  );
  expect(verifyChain(stored)).toEqual({ faults: [], notes: [] });
}

it('takes over what was delivered, plans again what was lost, and delivers everything once', async () => {
  await deliverMore();
  const restore = await backUp();
  const second = await deliverMore();
  const failed = await fail();
  const third = await deliverMore();
  const half = await leaveHalf();
  await restore();

  const answer = await reconciled();
  expect(answer.lacking.map(({ kind }) => kind)).toEqual(['delivered', 'lost', 'unfinished', 'lost']);
  expect((await rows()).slice(1)).toEqual([
    { id: second.id, status: 'completed' },
    { id: failed.id, status: 'pending' },
    // The last run had taken the marker away: that this one was completed is not said by anybody any more.
    { id: third.id, status: 'pending' },
    { id: half.id, status: 'pending' },
  ]);
  expect(await executeAll()).toEqual([failed.id, third.id, half.id]);
  await deliverMore();
  await expectExactlyOnce();
});

it('settles runs that the database has as unfinished, whatever their exporter does later', async () => {
  await deliverMore();
  await record();
  const id = await world.planned(key);
  const restore = await backUp();
  const run = await world.claim();
  expect(await world.execute(run)).toBe('completed');
  await restore();
  expect((await rows()).at(-1)).toEqual({ id, status: 'pending' });
  const { settled } = await reconciled();
  expect(settled.map(({ manifest }) => manifest.run)).toEqual([id]);
  expect((await rows()).at(-1)).toEqual({ id, status: 'completed' });
  expect(await world.attempts.renewLease(world.db, run, 30, { files: 0, bytes: 0, rows: 0, users: 0, events: 0 })).toBe(
    'lost',
  );
  await deliverMore();
  await expectExactlyOnce();
});

it('gives no attempt a number that was given before', async () => {
  await deliverMore();
  const restore = await backUp();
  const half = await leaveHalf();
  await restore();
  await reconciled();
  const again = await world.claim();
  expect(again.id).toBe(half.id);
  expect(await world.attempts.fence(world.db, half, 30)).toEqual({ hold: 'lost' });
  expect(await world.execute(again)).toBe('completed');
});

it('repeats a run whose marker is not there, under its keys', async () => {
  await deliverMore();
  const restore = await backUp();
  const last = await deliverMore();
  const before = await world.bytesOf(last);
  await restore();
  const marker = (await world.tree()).find((name) => basename(name) === '_SUCCESS');
  await rm(join(world.bucket, marker ?? ''));
  const answer = await reconciled();
  expect(answer.lacking.map(({ kind }) => kind)).toEqual(['unfinished']);
  expect(await executeAll()).toEqual([last.id]);
  expect(await world.bytesOf(last)).toEqual(before);
  await expectExactlyOnce();
});

it('changes nothing the second time, nothing in a database that was not restored, and nothing in a dry run', async () => {
  await deliverMore();
  const restore = await backUp();
  await deliverMore();
  await fail();
  const state = async () =>
    JSON.stringify([
      await world.db.query('SELECT * FROM export_run ORDER BY sequence'),
      await world.db.query('SELECT * FROM export_schedule'),
    ]);
  const whole = await state();
  expect(isChange(await reconciled())).toBe(false);
  expect(await state()).toBe(whole);
  await restore();
  const old = await state();
  expect(isChange(await reconciled(true))).toBe(true);
  expect(await state()).toBe(old);
  await reconciled();
  const after = await state();
  expect(isChange(await reconciled())).toBe(false);
  expect(await state()).toBe(after);
});

it('trusts no manifest that was changed, that another key signed, or that is of another export', async () => {
  const run = await deliverMore();
  const path = (await world.tree()).find((name) => name.includes('_manifest-')) ?? '';
  const text = String(await world.manifestBytesOf(run));
  const other = await world.newIntegration({}, key.organizationId);
  for (const [changed, fault] of [
    [text.replace('"trigger":"manual"', '"trigger":"schedule"'), 'was changed after it was signed'],
    [text.replace(/"key_id":"\w+"/, '"key_id":"0123"'), 'the key "0123", which was not given'],
    ['{', 'is not JSON'],
  ] as const) {
    await writeFile(join(world.bucket, path), changed);
    const { manifests, faults } = await look();
    expect(manifests).toEqual([]);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  }
  await writeFile(join(world.bucket, path), text);
  const own = key;
  key = { ...other, integrationId: own.integrationId, organizationId: 'another' };
  expect((await look()).faults).toEqual([expect.stringContaining(`is of export ${own.integrationId} of`)]);
  key = own;
});
