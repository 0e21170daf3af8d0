import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DestinationError } from '@delivery/destinations/driver';
import { storedManifest, verifyChain } from '@delivery/exports/domain';
import type { ExportRun, IntegrationKey } from '@delivery/exports/store';
import { waitFor } from '@delivery/platform/testing';
import type { ExecuteDeps } from '../src';
import { deliveredEvents, ExportWorld } from './export-world';
import { type Action, type Fault, faultyDestination } from './faulty-destination';

let world: ExportWorld;
beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
afterEach(() => world.reset());

const named = (id: string) => ({ organization_user_id: id });

/** An integration with six users in a window, two to a file, and a claimed run over it. */
async function threeFiles(): Promise<{ key: IntegrationKey; run: ExportRun }> {
  const key = await world.newIntegration({ split: { maxRows: 2 } });
  await world.record(
    key.organizationId,
    Array.from({ length: 6 }, (_, n) => ({ id: `e${n}`, user: named(`u${n}`) })),
  );
  await world.planned(key);
  return { key, run: await world.claim() };
}

function withFaults(fault: Fault, log: Action[] = []): Partial<ExecuteDeps> {
  return { openDestination: async () => faultyDestination(await world.openBucket(), log, fault) };
}

const failAt =
  (place: Action, error: Error): Fault =>
  (action) => {
    if (action === place) throw error;
  };

const six = ['e0', 'e1', 'e2', 'e3', 'e4', 'e5'];
async function expectDelivered(run: ExportRun): Promise<void> {
  const events = deliveredEvents(await world.linesOf(run));
  expect([...events.keys()].sort()).toEqual(six);
  expect(new Set(events.values())).toEqual(new Set([1]));
  expect((await world.names()).filter((name) => name.startsWith('_')).sort()).toEqual([
    '_SUCCESS',
    `_manifest-${run.id}.json`,
  ]);
}

/** Lets another exporter have the run, as the scheduler does when a lease has run out. */
async function takeOver(run: ExportRun): Promise<ExportRun> {
  await world.db.query(`UPDATE export_run SET lease_until = delivery_now() - interval '1 second' WHERE id = $1`, [
    run.id,
  ]);
  await world.runs.expireLeases(world.db, { maxTries: 5 });
  const taken = await world.claim();
  expect(taken).toMatchObject({ id: run.id, attempt: run.attempt + 1 });
  return taken;
}

/** Holds an execution at an action until it is let go. */
function holdAt(place: Action) {
  let letGo: () => void = () => undefined;
  let reached = false;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const fault: Fault = async (action) => {
    if (action !== place) return;
    reached = true;
    await gate;
  };
  return { fault, letGo: () => letGo(), reached: () => waitFor(() => reached, { describe: place }) };
}

/** Renews twice a second, and tells when a renewal was refused. */
function watchRenewals() {
  const attempts = Object.create(world.attempts) as typeof world.attempts;
  let refused = false;
  attempts.renewLease = async (...args) => {
    const hold = await world.attempts.renewLease(...args);
    refused ||= hold === 'lost';
    return hold;
  };
  const told = () => waitFor(() => refused, { describe: 'a renewal to be refused' });
  return { deps: { attempts, leaseSeconds: 2 }, refused: told };
}

it('a run takes its steps in this order', async () => {
  const { run } = await threeFiles();
  const log: Action[] = [];
  expect(
    await world.execute(
      run,
      withFaults(() => undefined, log),
    ),
  ).toBe('completed');
  const steps = log.filter((action) => !action.startsWith('write'));
  expect(steps).toEqual([
    'sweep',
    'delete _SUCCESS',
    ...['000000', '000001', '000002'].flatMap((file) => [`create ${file}`, `finish ${file}`]),
    'sweep',
    'put manifest',
    'put _SUCCESS',
  ]);
});

describe('an exporter that lost its run', () => {
  it.each<Action>(['create 000001', 'write 000001', 'finish 000002', 'put manifest', 'put _SUCCESS'])(
    'writes nothing more from "%s" on, and another one finishes',
    async (place) => {
      const { run } = await threeFiles();
      const log: Action[] = [];
      const hold = holdAt(place);
      const renewals = watchRenewals();
      const lost = world.execute(run, { ...withFaults(hold.fault, log), ...renewals.deps });
      await hold.reached();
      const other = await takeOver(run);
      await renewals.refused();
      expect(await world.execute(other)).toBe('completed');
      const before = await world.bytesOf(run);
      const tree = await world.tree();
      const done = log.length;
      hold.letGo();
      expect(await lost).toBe('lost');
      expect(log.slice(done).filter((action) => action !== place && !action.startsWith('abort'))).toEqual([]);
      expect(await world.tree()).toEqual(tree);
      expect(await world.bytesOf(run)).toEqual(before);
      await expectDelivered(run);
      expect(await world.stored(run)).toMatchObject({ status: 'completed', attempt: 2 });
    },
  );

  it('stops by itself when it cannot renew its lease', async () => {
    const { run } = await threeFiles();
    const hold = holdAt('write 000001');
    const attempts = Object.create(world.attempts) as typeof world.attempts;
    attempts.renewLease = () => Promise.reject(new Error('no database'));
    const begin = performance.now();
    const outcome = world.execute(run, { ...withFaults(hold.fault), attempts, leaseSeconds: 1 });
    await hold.reached();
    await waitFor(() => performance.now() - begin > 850, { describe: 'the lease to be over' });
    hold.letGo();
    expect(await outcome).toBe('lost');
    expect((await world.names()).sort()).toEqual([`${run.id}-000000.json.gz`]);
  });

  it('notices that its integration was removed', async () => {
    const { key, run } = await threeFiles();
    const hold = holdAt('finish 000001');
    const outcome = world.execute(run, withFaults(hold.fault));
    await hold.reached();
    await world.db.transaction((tx) => world.schedules.remove(tx, key));
    hold.letGo();
    expect(await outcome).toBe('lost');
    expect(await world.stored(run)).toMatchObject({ status: 'cancelled', resultCode: 'integration_removed' });
    expect(await world.names()).not.toContain('_SUCCESS');
  });
});

describe('a failure', () => {
  it.each<Action>([
    'sweep',
    'delete _SUCCESS',
    'create 000000',
    'write 000001',
    'finish 000002',
    'put manifest',
    'put _SUCCESS',
  ])('that passes at "%s" is tried again later, and leaves nothing that looks whole', async (place) => {
    const { run } = await threeFiles();
    const fault = failAt(place, new DestinationError('throttled', 'The bucket asks to slow down.'));
    expect(await world.execute(run, withFaults(fault))).toBe('retrying');
    const stored = await world.stored(run);
    expect(stored).toMatchObject({
      status: 'retrying',
      resultCode: 'throttled',
      resultMessage: 'The bucket asks to slow down.',
    });
    expect(stored.retryAt?.getTime()).toBeGreaterThan(Date.now() + 20_000);
    expect(await world.names()).not.toContain('_SUCCESS');
    await world.db.query(`UPDATE export_run SET retry_at = delivery_now()`);
    expect(await world.execute(await world.claim())).toBe('completed');
    await expectDelivered(run);
  });

  it('that needs somebody to change something says what, lets the next run pass, and is delivered when it is repaired', async () => {
    const { key, run } = await threeFiles();
    const fault = failAt('create 000001', new DestinationError('access_denied', 'Grant s3:PutObject on the bucket.'));
    expect(await world.execute(run, withFaults(fault))).toBe('failed');
    expect(await world.stored(run)).toMatchObject({
      status: 'failed',
      resultCode: 'access_denied',
      resultMessage: 'Grant s3:PutObject on the bucket.',
    });
    await world.record(key.organizationId, [{ id: 'later', user: named('u0') }]);
    const next = await world.deliver(key);
    expect(await world.manifestOf(next)).toMatchObject({ missing: [run.id], previous: null });

    await world.runs.retryFailed(world.db, run);
    expect(await world.execute(await world.claim())).toBe('completed');
    expect([...deliveredEvents(await world.linesOf(run)).keys()].sort()).toEqual(six);
    expect((await world.linesOf(run)).map(({ user }) => user.version)).toEqual([1, 1, 1, 1, 1, 1]);
    const chain = await Promise.all(
      [next, run].map(async (each) => storedManifest(await world.manifestOf(each), await world.manifestBytesOf(each))),
    );
    expect(verifyChain(chain)).toEqual({ faults: [], notes: [] });
  });

  it('that keeps passing ends as one that does not', async () => {
    const { run } = await threeFiles();
    const deps = withFaults(failAt('put manifest', new DestinationError('timeout', 'The bucket did not answer.')));
    expect(await world.execute(run, deps)).toBe('retrying');
    for (const outcome of ['retrying', 'failed']) {
      await world.db.query(`UPDATE export_run SET retry_at = delivery_now()`);
      expect(await world.execute(await world.claim(), deps)).toBe(outcome);
    }
    expect(await world.stored(run)).toMatchObject({
      resultMessage: 'The bucket did not answer. It was tried 3 times.',
    });
  });

  it('without a name is told to the operator, not to the owner', async () => {
    const { run } = await threeFiles();
    const warned: unknown[] = [];
    const deps = {
      ...withFaults(failAt('put manifest', new TypeError('secret detail'))),
      warn: (...args: unknown[]) => warned.push(args),
    };
    expect(await world.execute(run, deps)).toBe('retrying');
    expect((await world.stored(run)).resultMessage).not.toContain('secret detail');
    expect(warned).toHaveLength(1);
  });

  it('of the settings names what this version does not know', async () => {
    const { run } = await threeFiles();
    const later = { ...run, spec: { ...run.spec, format: 'parquet' } };
    expect(await world.execute(later)).toBe('failed');
    expect(await world.stored(run)).toMatchObject({
      resultCode: 'spec_unsupported',
      resultMessage: 'This version does not know the format "parquet".',
    });
  });
});

it('an exporter that stops gives its run back, untried', async () => {
  const { run } = await threeFiles();
  const stopping = new AbortController();
  const hold = holdAt('write 000001');
  const outcome = world.execute(run, withFaults(hold.fault), stopping.signal);
  await hold.reached();
  stopping.abort();
  hold.letGo();
  expect(await outcome).toBe('released');
  expect(await world.stored(run)).toMatchObject({ status: 'retrying', resultCode: 'interrupted', tries: 0 });
  expect(await world.names()).toEqual([`${run.id}-000000.json.gz`]);
  expect(await world.execute(await world.claim())).toBe('completed');
  await expectDelivered(run);
});

it('a database that has not reached the end of the window is not read', async () => {
  const key = await world.newIntegration();
  await world.record(key.organizationId, [{ id: 'e1', user: named('ann') }]);
  await world.deliver(key);
  const replica = await world.positions.readAll(world.db, 'consent');
  await world.record(key.organizationId, [{ id: 'e2', user: named('ann') }]);
  await world.planned(key);
  const run = await world.claim();
  expect(await world.execute(run, { positions: { readAll: async () => replica, isHeld: async () => false } })).toBe(
    'retrying',
  );
  expect(await world.stored(run)).toMatchObject({
    resultCode: 'snapshot_behind',
    resultMessage: expect.stringContaining('partition 0 of consent.events.v1 lacks 1 messages'),
  });
  // The delivery before is still whole.
  expect(await world.names()).toContain('_SUCCESS');
});

it('files of an attempt that had more of them are removed before the manifest', async () => {
  const { run } = await threeFiles();
  const log: Action[] = [];
  await world.attempts.openFile(world.db, run, 4);
  const folder = dirname(
    join(world.bucket, 'data', `export-id=${run.integrationId}`, `date=${run.date}`, 'users', 'x'),
  );
  await mkdir(folder, { recursive: true });
  for (const n of [3, 4]) await writeFile(join(folder, `${run.id}-00000${n}.json.gz`), 'left over');
  await writeFile(join(folder, 'someone-else.txt'), 'kept');
  await world.attempts.release(world.db, run, { code: 'interrupted', message: 'stopped' });
  expect(
    await world.execute(
      await world.claim(),
      withFaults(() => undefined, log),
    ),
  ).toBe('completed');
  expect(log.slice(-5)).toEqual(['sweep', 'delete 000003', 'delete 000004', 'put manifest', 'put _SUCCESS']);
  expect((await world.names()).filter((name) => name.endsWith('.gz'))).toHaveLength(3);
  expect(await world.names()).toContain('someone-else.txt');
});

it('uploads that an earlier attempt began are aborted by their ids', async () => {
  const { run } = await threeFiles();
  await world.attempts.openFile(world.db, run, 0);
  const upload = {
    key: `data/export-id=${run.integrationId}/date=${run.date}/users/${run.id}-000000.json.gz`,
    uploadId: 'u1',
  };
  await world.attempts.recordUpload(world.db, run, upload);
  await world.attempts.release(world.db, run, { code: 'interrupted', message: 'stopped' });
  const swept: unknown[] = [];
  const openDestination = async () => {
    const driver = await world.openBucket();
    return {
      ...driver,
      abortUnfinished: async ({ uploads, keyPrefix }: { uploads: readonly unknown[]; keyPrefix: string }) => {
        swept.push(...uploads, keyPrefix.endsWith(`${run.id}-`));
        return uploads.length;
      },
    };
  };
  expect(await world.execute(await world.claim(), { openDestination })).toBe('completed');
  // The second sweep, before the manifest, finds only what the store lists.
  expect(swept).toEqual([upload, true, true]);
});
