import { randomBytes } from 'node:crypto';
import { follows } from '@delivery/exports/domain';
import { Database } from '@delivery/platform/postgres';
import { waitFor } from '@delivery/platform/testing';
import { deliveredEvents, ExportWorld } from './export-world';
import { type Action, type Fault, faultyDestination } from './faulty-destination';

let world: ExportWorld;
beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
afterEach(() => world.reset());

const user = (n: number) => ({ organization_user_id: `u${n}` });

/** Holds an execution at an action until it is let go. */
function holdAt(place: Action) {
  const { promise: gate, resolve: letGo } = Promise.withResolvers<void>();
  let reached = false;
  const fault: Fault = async (action) => {
    if (action !== place) return;
    reached = true;
    await gate;
  };
  const openDestination = async () => faultyDestination(await world.openBucket(), [], fault);
  return { openDestination, letGo, reached: () => waitFor(() => reached, { describe: place }) };
}

describe('a run that is cancelled while it is written', () => {
  it.each<Action>(['finish 000001', 'put manifest', 'put _SUCCESS'])(
    'at "%s" leaves nothing beside the _SUCCESS of the next one',
    async (place) => {
      const key = await world.newIntegration({ split: { maxRows: 2 } });
      await world.record(
        key.organizationId,
        Array.from({ length: 6 }, (_, n) => ({ id: `e${n}`, user: user(n) })),
      );
      await world.planned(key);
      const cancelled = await world.claim();
      const hold = holdAt(place);
      const outcome = world.execute(cancelled, hold);
      await hold.reached();
      await world.runs.cancel(world.db, cancelled);
      await world.record(key.organizationId, [{ id: 'later', user: user(1) }]);
      await world.planned(key);
      await expect(world.claim()).rejects.toThrow('nothing to claim');

      hold.letGo();
      expect(await outcome).toBe('lost');
      const next = await world.claim();
      expect(await world.execute(next)).toBe('completed');
      expect(await world.names()).toEqual([`${next.id}-000000.json.gz`, '_SUCCESS', `_manifest-${next.id}.json`]);
      expect(await world.manifestOf(next)).toMatchObject({ missing: [cancelled.id] });
    },
  );
});

/** 24 MB: more than fits into the sockets and buffers between Postgres and an exporter that does not read on. */
async function bigWindow(users: number) {
  const key = await world.newIntegration({ split: { maxRows: 100 } });
  for (let batch = 0; batch < 8; batch += 1) {
    const events = Array.from({ length: 250 }, (_, n) => {
      const id = batch * 250 + n;
      return { id: `e${id}`, user: user(id % users), metadata: { noise: randomBytes(9000).toString('base64') } };
    });
    await world.record(key.organizationId, events);
  }
  await world.planned(key);
  return world.claim();
}

it.each([1, 2000])(
  'a store that takes nothing keeps Postgres waiting, not this process full: %i users',
  async (users) => {
    const run = await bigWindow(users);
    const hold = holdAt('write 000000');
    const before = process.memoryUsage().arrayBuffers;
    const outcome = world.execute(run, hold);
    await hold.reached();
    const waiting = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'COPY%' AND wait_event = 'ClientWrite'`;
    await waitFor(async () => (await world.db.query(waiting)).length === 1, {
      describe: 'Postgres to wait for its reader',
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    hold.letGo();
    expect(await outcome).toBe('completed');
    expect(deliveredEvents(await world.linesOf(run)).size).toBe(2000);
  },
);

describe('the connection that the window is read from', () => {
  it('may be killed in the middle: nothing looks whole, and the next attempt delivers all', async () => {
    const run = await bigWindow(2000);
    const hold = holdAt('finish 000000');
    const outcome = world.execute(run, hold);
    await hold.reached();
    const killed = await world.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'COPY%' AND state = 'active'`,
    );
    expect(killed).toHaveLength(1);
    hold.letGo();
    expect(await outcome).toBe('retrying');
    expect(await world.stored(run)).toMatchObject({ status: 'retrying', resultCode: 'database_unavailable' });
    expect((await world.names()).filter((name) => name.startsWith('_'))).toEqual([]);

    await world.db.query(`UPDATE export_run SET retry_at = delivery_now()`);
    expect(await world.execute(await world.claim())).toBe('completed');
    const events = deliveredEvents(await world.linesOf(run));
    expect(events.size).toBe(2000);
    expect(new Set(events.values())).toEqual(new Set([1]));
  });

  it('may be ended for idling while the last upload takes its time', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: user(1) }]);
    await world.planned(key);
    const run = await world.claim();
    const hold = holdAt('finish 000000');
    const outcome = world.execute(run, hold);
    await hold.reached();
    const idling = `FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`;
    await waitFor(async () => (await world.db.query(`SELECT 1 ${idling}`)).length === 1, {
      describe: 'the copy to end',
    });
    await world.db.query(`SELECT pg_terminate_backend(pid) ${idling}`);
    hold.letGo();
    expect(await outcome).toBe('completed');
    expect([...deliveredEvents(await world.linesOf(run)).keys()]).toEqual(['e1']);
  });
});

describe('clocks', () => {
  afterEach(() => void jest.useRealTimers());
  const setHostClock = (time: string) =>
    jest.useFakeTimers({
      now: new Date(time),
      doNotFake: [
        ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
        ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
      ],
    });

  it('of the host may jump between plan, claim and manifest: windows adjoin, days and leases are of the database', async () => {
    const key = await world.newIntegration();
    const [day] = await world.db.query<{ day: string }>(
      `SELECT to_char(delivery_now() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day`,
    );
    const runs = [];
    for (const [n, [planned, claimed, executed]] of [
      ['2099-01-01T00:00:00Z', '1990-06-01T00:00:00Z', '2038-01-19T03:14:08Z'],
      ['1990-06-01T00:00:00Z', '2099-01-01T00:00:00Z', '1970-01-01T00:00:01Z'],
    ].entries()) {
      await world.record(key.organizationId, [{ id: `e${n}`, user: user(1) }]);
      setHostClock(planned ?? '');
      await world.planned(key);
      setHostClock(claimed ?? '');
      const run = await world.claim();
      setHostClock(executed ?? '');
      expect(await world.runs.expireLeases(world.db, { maxTries: 3 })).toEqual([]);
      expect(await world.execute(run)).toBe('completed');
      expect(run.date).toBe(day?.day);
      expect([...deliveredEvents(await world.linesOf(run)).keys()]).toEqual([`e${n}`]);
      runs.push(run);
    }
    const [first, second] = runs;
    expect(first && second && follows(second.window, first.window)).toBe(true);
  });

  it('of the database alone ends a lease', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: user(1) }]);
    await world.planned(key);
    const run = await world.claim();
    setHostClock('2099-01-01T00:00:00Z');
    expect(await world.runs.expireLeases(world.db, { maxTries: 3 })).toEqual([]);
    const url = new URL(world.config.url);
    url.searchParams.set('options', '-c delivery.clock_offset=31s');
    const later = await new Database({ ...world.config, url: url.href }, { applicationName: 'later' }).open();
    try {
      expect(await world.runs.expireLeases(later, { maxTries: 3 })).toMatchObject([{ id: run.id, status: 'retrying' }]);
    } finally {
      await later.close();
    }
    expect(await world.execute(run)).toBe('lost');
  });
});
