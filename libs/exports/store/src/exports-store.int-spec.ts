import { DEFAULT_SPEC, makeWindow, newRunId, parsePositions } from '@delivery/exports/domain';
import { Database } from '@delivery/platform/postgres';
import { testDatabase, type TestDatabase, waitFor } from '@delivery/platform/testing';
import { AttemptStore, type ClaimOptions } from './attempt.store';
import { migrations } from './index';
import type { ExportRun, RunProgress } from './run';
import { RunLogReadModel } from './run-log.read-model';
import { RunStore } from './run.store';
import type { DestinationKind, IntegrationKey } from './schedule';
import { ScheduleStore } from './schedule.store';

const schedules = new ScheduleStore();
const runs = new RunStore();
const attempts = new AttemptStore();
const logs = new RunLogReadModel();

const claiming: ClaimOptions = { owner: 'exporter-1', leaseSeconds: 30, perOrganization: 2 };
const progress: RunProgress = { files: 1, bytes: 10, rows: 2, users: 2, events: 5 };
const at = (offset: number) => parsePositions({ 'consent.events.v1': { 0: { epoch: 1, offset: String(offset) } } });

let test: TestDatabase;
let db: Database;
let counter = 0;

beforeAll(async () => {
  test = await testDatabase({ migrations });
  db = test.database;
});
afterAll(() => test.close());

async function newIntegration(
  organizationId = `org${(counter += 1)}`,
  kind: DestinationKind = 'file',
): Promise<IntegrationKey> {
  const key = { organizationId, integrationId: `int${(counter += 1)}` };
  const schedule = { ...key, destinationKind: kind, content: 'consent-users', spec: DEFAULT_SPEC, frequencyDays: 1 };
  await schedules.create(db, schedule);
  return key;
}

/** Plans a run as the planner does. */
async function plan(key: IntegrationKey): Promise<string> {
  return db.transaction(async (tx) => {
    const locked = await schedules.lockForPlanning(tx, key);
    if (locked === undefined) throw new Error('no schedule');
    const { schedule, now } = locked;
    const id = newRunId();
    const to = at(schedule.plannedRuns + 1);
    await runs.insert(tx, {
      ...key,
      id,
      sequence: schedule.plannedRuns + 1,
      destinationKind: schedule.destinationKind,
      content: schedule.content,
      spec: schedule.spec,
      trigger: 'manual',
      dueAt: now,
      dueTimes: [now],
      date: '2026-01-02',
      window: makeWindow(schedule.plannedTo, to),
      windowFromAt: schedule.plannedToAt,
      windowToAt: now,
      completeUntil: now,
    });
    await schedules.movePlannedTo(tx, key, { plannedTo: to, plannedToAt: now });
    return id;
  });
}

async function claim(
  options: Partial<ClaimOptions> = {},
  kind: DestinationKind = 'file',
): Promise<ExportRun | undefined> {
  return db.transaction((tx) => attempts.claimNext(tx, kind, { ...claiming, ...options }));
}

async function claimed(options: Partial<ClaimOptions> = {}): Promise<ExportRun> {
  const run = await claim(options);
  if (run === undefined) throw new Error('nothing to claim');
  return run;
}

async function complete(run: ExportRun, sha256 = 'a'.repeat(64)) {
  const result = { progress, manifestKey: 'm', manifestSha256: sha256, previousSha256: undefined };
  return db.transaction((tx) => attempts.complete(tx, run, result));
}

async function expire(run: ExportRun): Promise<void> {
  await db.query(`UPDATE export_run SET lease_until = delivery_now() - interval '1 second' WHERE id = $1`, [run.id]);
}

afterEach(async () => {
  await db.query(`TRUNCATE export_run, export_schedule`);
});

describe('a schedule', () => {
  it('is due first 24 hours after it was made', async () => {
    const key = await newIntegration();
    const schedule = await schedules.find(db, key);
    expect(schedule).toMatchObject({ enabled: true, plannedTo: {}, plannedRuns: 0, spec: DEFAULT_SPEC });
    expect(Number(schedule?.nextDueAt) - Number(schedule?.createdAt)).toBe(86_400_000);
    expect(schedule?.nextDueAt).toEqual(schedule?.anchorAt);
    expect(await schedules.listDue(db, 10)).toEqual([]);
  });

  it('is kept when it is made again', async () => {
    const key = await newIntegration();
    const before = await schedules.find(db, key);
    await schedules.create(db, { ...key, destinationKind: 's3', content: 'x', spec: DEFAULT_SPEC, frequencyDays: 7 });
    expect(await schedules.find(db, key)).toEqual(before);
  });

  it("follows Postgres's clock, which an operator may move", async () => {
    const key = await newIntegration();
    const moved = new URL(test.config.url);
    moved.searchParams.set('options', '-c delivery.clock_offset=25h');
    const later = await new Database({ ...test.config, url: moved.href }, { applicationName: 'later' }).open();
    try {
      expect(await schedules.listDue(later, 10)).toEqual([key]);
      expect(await schedules.listDue(db, 10)).toEqual([]);
    } finally {
      await later.close();
    }
  });

  it('has no due times while paused, and the next one afterwards', async () => {
    const key = await newIntegration();
    await db.query(
      `UPDATE export_schedule SET anchor_at = anchor_at - interval '30 hours', next_due_at = next_due_at - interval '30 hours'`,
    );
    expect(await schedules.listDue(db, 10)).toEqual([key]);
    await schedules.pause(db, key);
    expect(await schedules.listDue(db, 10)).toEqual([]);
    expect(await schedules.find(db, key)).toMatchObject({
      enabled: false,
      nextDueAt: undefined,
      pausedAt: expect.any(Date),
    });
    await db.transaction((tx) => schedules.resume(tx, key));
    const resumed = await schedules.find(db, key);
    expect(Number(resumed?.nextDueAt) - Number(resumed?.anchorAt)).toBe(86_400_000);
    expect(resumed).toMatchObject({ enabled: true, pausedAt: undefined });
  });

  it('keeps its time of day when the frequency changes', async () => {
    const key = await newIntegration();
    await db.query(
      `UPDATE export_schedule SET anchor_at = anchor_at - interval '30 hours', next_due_at = next_due_at + interval '18 hours'`,
    );
    await db.transaction((tx) => schedules.change(tx, key, { frequencyDays: 3 }));
    const schedule = await schedules.find(db, key);
    expect(Number(schedule?.nextDueAt) - Number(schedule?.anchorAt)).toBe(3 * 86_400_000);
    const unknown = { ...key, integrationId: 'none' };
    expect(await db.transaction((tx) => schedules.change(tx, unknown, {}))).toBe('absent');
  });

  it('ends with its runs when it is removed', async () => {
    const key = await newIntegration();
    const [first, second] = [await plan(key), await plan(key)];
    const run = await claimed();
    await db.transaction((tx) => schedules.remove(tx, key));
    for (const id of [first, second]) {
      expect(await runs.find(db, { ...key, id })).toMatchObject({
        status: 'cancelled',
        resultCode: 'integration_removed',
      });
    }
    expect(await attempts.renewLease(db, run, 30, progress)).toBe('lost');
    expect(await db.transaction((tx) => schedules.lockForPlanning(tx, key))).toBeUndefined();
    expect(await runs.retryFailed(db, { ...key, id: first })).toBe('not_failed');
  });
});

describe('claiming', () => {
  it('gives a run to one exporter, however many ask at once', async () => {
    await plan(await newIntegration());
    const taken = await Promise.all(Array.from({ length: 8 }, () => claim()));
    expect(taken.filter((run) => run !== undefined)).toHaveLength(1);
  });

  it('takes runs of one integration one at a time, in the order of planning', async () => {
    const key = await newIntegration();
    const ids = [await plan(key), await plan(key), await plan(key)];
    for (const id of ids) {
      const taken = await Promise.all([claim(), claim(), claim()]);
      const got = taken.flatMap((run) => run ?? []);
      expect(got.map((run) => run.id)).toEqual([id]);
      for (const run of got) expect(await complete(run)).toBe('held');
    }
    expect(await claim()).toBeUndefined();
  });

  it('never exceeds the runs of one organization, and lets others pass', async () => {
    for (let n = 0; n < 4; n += 1) await plan(await newIntegration('busy'));
    const other = await plan(await newIntegration('quiet'));
    const taken = (await Promise.all(Array.from({ length: 8 }, () => claim()))).flatMap((run) => run ?? []);
    const rest = await claim();
    const all = [...taken, ...(rest === undefined ? [] : [rest])];
    expect(all.filter((run) => run.organizationId === 'busy')).toHaveLength(2);
    expect(all.map((run) => run.id)).toContain(other);
  });

  it('counts a claim that is being made by an exporter of another kind', async () => {
    await plan(await newIntegration('busy', 's3'));
    await plan(await newIntegration('busy', 'gcs'));
    let other: Promise<ExportRun | undefined> = Promise.resolve(undefined);
    await db.transaction(async (tx) => {
      expect(await attempts.claimNext(tx, 's3', { ...claiming, perOrganization: 1 })).toBeDefined();
      other = claim({ perOrganization: 1 }, 'gcs');
      const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      const blocked = waitFor(async () => (await db.query(waits)).length > 0, { describe: 'the second claim to wait' });
      await Promise.race([blocked, other]);
    });
    expect(await other).toBeUndefined();
  });

  it('is of one kind of destination', async () => {
    await plan(await newIntegration(undefined, 's3'));
    expect(await claim({}, 'gcs')).toBeUndefined();
    expect(await claim({}, 's3')).toMatchObject({ destinationKind: 's3', status: 'running', attempt: 1, tries: 1 });
  });

  it('lets the next run pass a failed one, but not one that tries again', async () => {
    const key = await newIntegration();
    await plan(key);
    const second = await plan(key);
    const run = await claimed();
    await attempts.retryLater(db, run, { code: 'timeout', message: 'slow', delaySeconds: 600 });
    expect(await claim()).toBeUndefined();
    await db.query(`UPDATE export_run SET retry_at = delivery_now() WHERE id = $1`, [run.id]);
    const again = await claimed();
    expect(again).toMatchObject({ id: run.id, attempt: 2, tries: 2 });
    await attempts.fail(db, again, { code: 'access_denied', message: 'Grant it.' });
    expect(await claimed()).toMatchObject({ id: second });
    expect(await runs.listMissing(db, key, 2)).toEqual([run.id]);
  });

  it('executes a retried run with its own window and a new attempt', async () => {
    const key = await newIntegration();
    await plan(key);
    const run = await claimed();
    await attempts.fail(db, run, { code: 'access_denied', message: 'Grant it.' });
    expect(await runs.retryFailed(db, run)).toBe('retried');
    expect(await runs.retryFailed(db, run)).toBe('not_failed');
    expect(await runs.retryFailed(db, { ...run, organizationId: 'another' })).toBe('absent');
    expect(await claimed()).toMatchObject({
      id: run.id,
      window: run.window,
      attempt: 2,
      tries: 1,
      resultCode: undefined,
    });
  });
});

describe('an attempt', () => {
  it('loses everything when its lease expires and another takes the run', async () => {
    const key = await newIntegration();
    await plan(key);
    const old = await claimed();
    await expire(old);
    const [expired] = await runs.expireLeases(db, { maxTries: 5 });
    expect(expired).toMatchObject({ id: old.id, status: 'retrying', resultCode: 'lease_expired' });
    const current = await claimed({ owner: 'exporter-2' });
    expect(current).toMatchObject({ id: old.id, attempt: 2, leaseOwner: 'exporter-2' });

    expect(await attempts.renewLease(db, old, 30, progress)).toBe('lost');
    expect(await attempts.openFile(db, old, 0)).toBe('lost');
    expect(await attempts.recordUpload(db, old, { key: 'k', uploadId: 'u' })).toBe('lost');
    expect(await attempts.fence(db, old, 30)).toEqual({ hold: 'lost' });
    expect(await complete(old)).toBe('lost');
    expect(await attempts.fail(db, old, { code: 'x', message: 'x' })).toBe('lost');
    expect(await attempts.retryLater(db, old, { code: 'x', message: 'x', delaySeconds: 1 })).toBe('lost');
    expect(await attempts.release(db, old, { code: 'x', message: 'x' })).toBe('lost');
    expect(await runs.find(db, current)).toMatchObject({ status: 'running', attempt: 2, uploads: [], filesOpened: 0 });
    expect(await complete(current)).toBe('held');
  });

  it('keeps its lease as long as it renews it', async () => {
    await plan(await newIntegration());
    const run = await claimed();
    await expire(run);
    expect(await attempts.renewLease(db, run, 30, progress)).toBe('held');
    expect(await runs.expireLeases(db, { maxTries: 5 })).toEqual([]);
    expect(await runs.find(db, run)).toMatchObject({ progress });
  });

  it('ends when it killed every exporter that took it', async () => {
    await plan(await newIntegration());
    for (let tries = 1; tries <= 3; tries += 1) {
      await expire(await claimed());
      const [run] = await runs.expireLeases(db, { maxTries: 3 });
      expect(run).toMatchObject({ status: tries < 3 ? 'retrying' : 'failed', tries });
    }
    expect(await claim()).toBeUndefined();
  });

  it('that was released does not count as a try', async () => {
    await plan(await newIntegration());
    const run = await claimed();
    await attempts.release(db, run, { code: 'interrupted', message: 'The exporter was stopped.' });
    expect(await claimed()).toMatchObject({ id: run.id, attempt: 2, tries: 1 });
  });

  it('remembers what may lie in the bucket', async () => {
    await plan(await newIntegration());
    const run = await claimed();
    await attempts.openFile(db, run, 0);
    await attempts.recordUpload(db, run, { key: 'k0', uploadId: 'u0' });
    await attempts.openFile(db, run, 1);
    await attempts.recordUpload(db, run, { key: 'k1', uploadId: 'u1' });
    await attempts.recordUpload(db, run, { key: 'k1', uploadId: 'u2' });
    const stored = await runs.find(db, run);
    expect(stored).toMatchObject({
      filesOpened: 2,
      uploads: [
        { key: 'k1', uploadId: 'u1' },
        { key: 'k1', uploadId: 'u2' },
      ],
    });
    await attempts.release(db, run, { code: 'interrupted', message: 'stopped' });
    const again = await claimed();
    expect(again.uploads).toHaveLength(2);
    await attempts.openFile(db, again, 0);
    expect(await runs.find(db, run)).toMatchObject({ filesOpened: 2, uploads: [] });
  });

  it('chains to the run completed last, not to the one planned last', async () => {
    const key = await newIntegration();
    await plan(key);
    await plan(key);
    const first = await claimed();
    expect(await attempts.fence(db, first, 30)).toEqual({ hold: 'held', previous: undefined });
    await attempts.fail(db, first, { code: 'access_denied', message: 'Grant it.' });
    const second = await claimed();
    await complete(second, 'b'.repeat(64));
    await runs.retryFailed(db, first);
    const again = await claimed();
    expect(await attempts.fence(db, again, 30)).toEqual({
      hold: 'held',
      previous: { run: second.id, sha256: 'b'.repeat(64) },
    });
    await complete(again, 'c'.repeat(64));
    expect((await schedules.find(db, key))?.lastManifest).toEqual({ run: first.id, sha256: 'c'.repeat(64) });
  });

  it('notices that it was cancelled', async () => {
    const key = await newIntegration();
    await plan(key);
    const run = await claimed();
    expect(await runs.cancel(db, run)).toBe('cancelled');
    expect(await runs.cancel(db, run)).toBe('over');
    expect(await runs.cancel(db, { ...run, organizationId: 'another' })).toBe('absent');
    expect(await attempts.renewLease(db, run, 30, progress)).toBe('lost');
  });

  it('lets no other run of the integration begin before its exporter has let go, or its lease would be over', async () => {
    const key = await newIntegration();
    await plan(key);
    const next = await plan(key);
    const run = await claimed();
    await runs.cancel(db, run);
    expect(await claim()).toBeUndefined();
    await attempts.letGo(db, { ...run, attempt: run.attempt + 1 });
    expect(await claim()).toBeUndefined();
    await db.query(`UPDATE export_run SET finished_at = finished_at - interval '30 seconds' WHERE id = $1`, [run.id]);
    expect((await claimed()).id).toBe(next);

    const other = await newIntegration();
    await plan(other);
    await runs.cancel(db, await claimed());
    const last = await plan(other);
    expect(await claim()).toBeUndefined();
    const [cancelled] = await db.query<{ id: string }>(
      `SELECT id FROM export_run WHERE status = 'cancelled' AND integration_id = $1`,
      [other.integrationId],
    );
    await attempts.letGo(db, { ...other, id: cancelled?.id ?? '', attempt: 1 });
    expect((await claimed()).id).toBe(last);
  });
});

describe('nudges and announcements', () => {
  it('are sent again when they seem lost', async () => {
    const key = await newIntegration();
    const id = await plan(key);
    const ask = () => runs.listUnclaimed(db, { olderThanSeconds: 60, limit: 10 });
    expect((await ask()).map((run) => run.id)).toEqual([id]);
    await runs.markNudged(db, [{ ...key, id }]);
    expect(await ask()).toEqual([]);
    await db.query(`UPDATE export_run SET nudged_at = nudged_at - interval '61 seconds'`);
    expect(await ask()).toHaveLength(1);
    const run = await claimed();
    expect(await ask()).toEqual([]);
    await attempts.retryLater(db, run, { code: 'timeout', message: 'slow', delaySeconds: 0 });
    // Nudged in the very millisecond in which it came due again: rather twice than never.
    await db.query(`UPDATE export_run SET nudged_at = retry_at`);
    expect(await ask()).toHaveLength(1);
    await db.query(`UPDATE export_run SET nudged_at = retry_at + interval '1 millisecond'`);
    expect(await ask()).toEqual([]);
  });

  it('lose no change that comes while one is announced', async () => {
    const key = await newIntegration();
    await plan(key);
    const [planned] = await runs.listUnannounced(db, 10);
    expect(planned).toMatchObject({ status: 'pending' });
    await claimed();
    await runs.markAnnounced(db, planned === undefined ? [] : [planned]);
    const [running] = await runs.listUnannounced(db, 10);
    expect(running).toMatchObject({ status: 'running' });
    await runs.markAnnounced(db, running === undefined ? [] : [running]);
    expect(await runs.listUnannounced(db, 10)).toEqual([]);
  });
});

describe('the log', () => {
  it("shows an organization's own runs, newest first, with what is missing before each", async () => {
    const key = await newIntegration('mine');
    const other = await plan(await newIntegration('theirs'));
    const first = await plan(key);
    await attempts.fail(db, await claimedOf(first), { code: 'access_denied', message: 'Grant it.' });
    const second = await plan(key);
    const page = await logs.page(db, { organizationId: 'mine', limit: 10, skip: 0 });
    expect(page.total).toBe(2);
    expect(page.data.map(({ id, status, missing }) => ({ id, status, missing }))).toEqual([
      { id: second, status: 'pending', missing: [first] },
      { id: first, status: 'failed', missing: [] },
    ]);
    expect(page.data[1]).toMatchObject({ resultCode: 'access_denied', resultMessage: 'Grant it.', frequencyDays: 1 });
    expect(await logs.page(db, { organizationId: 'mine', limit: 1, skip: 1 })).toMatchObject({
      data: [{ id: first }],
      total: 2,
    });
    expect(await logs.find(db, { organizationId: 'mine', id: other })).toBeUndefined();
    expect(await logs.page(db, { organizationId: 'mine', integrationId: 'x', limit: 10, skip: 0 })).toEqual({
      data: [],
      total: 0,
    });
  });

  it('shows what a due run waits for', async () => {
    const key = await newIntegration('mine');
    await db.query(`UPDATE export_schedule SET next_due_at = delivery_now()`);
    await schedules.setWaiting(db, key, 'partition 3 is 1,204 messages behind');
    const [waiting] = await logs.waiting(db, { organizationId: 'mine' });
    expect(waiting).toMatchObject({
      integrationId: key.integrationId,
      waitingFor: 'partition 3 is 1,204 messages behind',
    });
    expect(await logs.waiting(db, { organizationId: 'theirs' })).toEqual([]);
  });
});

async function claimedOf(id: string): Promise<ExportRun> {
  for (;;) {
    const run = await claimed();
    if (run.id === id) return run;
  }
}

describe('database roles', () => {
  const as = async (role: string, text: string) =>
    db.transaction(async (tx) => {
      await tx.query(`SET LOCAL ROLE ${role}`);
      await tx.query(text);
    });

  it('let an exporter work on runs, but neither plan nor remove them', async () => {
    const key = await newIntegration();
    await plan(key);
    await db.transaction(async (tx) => {
      await tx.query('SET LOCAL ROLE delivery_exporter');
      const run = await attempts.claimNext(tx, 'file', claiming);
      if (run === undefined) throw new Error('nothing to claim');
      await attempts.openFile(tx, run, 0);
      await attempts.renewLease(tx, run, 30, progress);
      await attempts.fence(tx, run, 30);
      const result = { progress, manifestKey: 'm', manifestSha256: 'a', previousSha256: undefined };
      expect(await attempts.complete(tx, run, result)).toBe('held');
    });
    await expect(as('delivery_exporter', `UPDATE export_run SET window_to = '{}'`)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(as('delivery_exporter', `DELETE FROM export_run`)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(as('delivery_exporter', `UPDATE export_schedule SET planned_to = '{}'`)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(as('delivery_ingest', `SELECT 1 FROM export_run`)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('let the scheduler plan', async () => {
    const key = await newIntegration();
    await db.transaction(async (tx) => {
      await tx.query('SET LOCAL ROLE delivery_scheduler');
      await schedules.lockForPlanning(tx, key);
      await schedules.setWaiting(tx, key, 'x');
      await runs.expireLeases(tx, { maxTries: 3 });
      await runs.listUnclaimed(tx, { olderThanSeconds: 1, limit: 1 });
    });
  });
});
