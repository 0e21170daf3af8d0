import { type IngestPosition, RewindStore } from '@delivery/ingest/store';
import { KafkaError } from '@delivery/platform/kafka';
import type { LogReader } from '../src';
import { deliveredEvents, emptyLog, ExportWorld } from './export-world';

let world: ExportWorld;
beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
afterEach(() => world.reset());

const ann = { organization_user_id: 'ann' };
const TOPIC = 'consent.events.v1';

/** A database that has recorded so far. */
const at = (positions: IngestPosition[]) => ({ readAll: async () => positions, isHeld: async () => false });

/** Lets so many hours pass for all schedules. */
async function pass(hours: number): Promise<void> {
  await world.db.query(
    `UPDATE export_schedule SET anchor_at = anchor_at - $1::interval, created_at = created_at - $1::interval,
       next_due_at = next_due_at - $1::interval, waiting_since = waiting_since - $1::interval`,
    [`${hours} hours`],
  );
}

async function runsOf(organizationId: string) {
  const rows = await world.db.query<{ id: string }>(
    'SELECT id FROM export_run WHERE organization_id = $1 ORDER BY sequence',
    [organizationId],
  );
  return Promise.all(rows.map(({ id }) => world.runs.find(world.db, { organizationId, id })));
}

describe('a scheduled run', () => {
  it('is planned once its due time has come, by one of several schedulers', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }]);
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'not_due' });
    await pass(25);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => world.plan(key, 'schedule')));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([...Array(5).fill('not_due'), 'planned']);
    const [run, ...more] = await runsOf(key.organizationId);
    expect(more).toEqual([]);
    const schedule = await world.schedules.find(world.db, key);
    expect(run).toMatchObject({
      trigger: 'schedule',
      sequence: 1,
      dueAt: schedule?.anchorAt,
      dueTimes: [schedule?.anchorAt],
    });
    expect(run?.date).toBe(schedule?.anchorAt.toISOString().slice(0, 10));
    expect(run?.completeUntil).toEqual(schedule?.anchorAt);
    expect(Number(schedule?.nextDueAt) - Number(schedule?.anchorAt)).toBe(86_400_000);
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'not_due' });
  });

  it('stands for all due times that were missed, and has their last day', async () => {
    const key = await world.newIntegration();
    await pass(24 * 3 + 1);
    await world.plan(key, 'schedule');
    const [run, ...more] = await runsOf(key.organizationId);
    expect(more).toEqual([]);
    expect(run?.dueTimes).toHaveLength(3);
    expect(run?.dueAt).toEqual(run?.dueTimes.at(-1));
    expect(run?.date).toBe(run?.dueTimes.at(-1)?.toISOString().slice(0, 10));
    expect((await world.schedules.listDue(world.db, 10)).length).toBe(0);
  });

  it('waits in a database that went back, however long, also when it is asked for by hand', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }]);
    await pass(25);
    const place = { topic: TOPIC, partition: 0, epoch: 1, nextOffset: 1_000_000n };
    const rewinds = new RewindStore();
    await rewinds.notice(world.db, 'consent', [place]);
    for (const trigger of ['schedule', 'manual'] as const) {
      const outcome = await world.plan(key, trigger, { maxWaitSeconds: 0 });
      expect(outcome).toEqual({ outcome: 'waiting', waitingFor: expect.stringContaining('deliveries reconcile') });
    }
    expect((await world.schedules.find(world.db, key))?.waitingFor).toContain('older than what was recorded');
    await world.db.transaction((tx) => rewinds.settle(tx, 'consent', [place], []));
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
    await world.db.query('DELETE FROM ingest_rewind');
  });

  it('waits, visibly, until the recorder has passed the due time', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }], 3);
    await pass(25);
    world.logEnds = new Map([
      [0, 0n],
      [3, 1205n],
    ]);
    const waitingFor = `partition 3 of ${TOPIC} is 1,204 messages behind`;
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'waiting', waitingFor });
    expect(await world.schedules.find(world.db, key)).toMatchObject({ waitingFor, plannedRuns: 0 });
    const since = (await world.schedules.find(world.db, key))?.waitingSince;
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'waiting' });
    expect((await world.schedules.find(world.db, key))?.waitingSince).toEqual(since);
    world.logEnds = new Map([[3, 1n]]);
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
    expect(await world.schedules.find(world.db, key)).toMatchObject({ waitingFor: undefined, waitingSince: undefined });
  });

  it('says that it waits for a transaction that a producer left open', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }], 4);
    await pass(25);
    const ends = { partition: 4, offset: 6n, high: 6n, stable: 1n };
    const offsetsAt = async (topic: string) => (topic === TOPIC ? [ends] : []);
    const waitingFor = `partition 4 of ${TOPIC} is 5 messages behind, which wait for a producer to end its transaction`;
    expect(await world.plan(key, 'schedule', { log: { ...emptyLog, offsetsAt } })).toEqual({
      outcome: 'waiting',
      waitingFor,
    });
  });

  it('waits while the topic is another one than was recorded, though no recorder is there to say so', async () => {
    const key = await world.newIntegration();
    await world.record(
      key.organizationId,
      [
        { id: 'e1', user: ann },
        { id: 'e2', user: ann },
      ],
      5,
    );
    await pass(25);
    const recorded = (await world.positions.find(world.db, 'consent', TOPIC, 5))?.nextOffset ?? 0n;
    const logOf = (clusterId: string, high: bigint) => ({
      clusterId: async () => clusterId,
      offsetsAt: async (topic: string) => (topic === TOPIC ? [{ partition: 5, offset: 1n, high, stable: high }] : []),
    });
    const words = async (log: LogReader) => {
      const planned = await world.plan(key, 'schedule', { log });
      return planned.outcome === 'waiting' ? planned.waitingFor : planned.outcome;
    };
    const shorter = `was recorded up to offset ${recorded}, and ends at 1 now: the topic was made anew`;
    expect(await words(logOf('test', 1n))).toBe(`partition 5 of ${TOPIC} ${shorter}`);
    const other = 'was recorded from cluster test, and this is d';
    expect(await words(logOf('d', recorded))).toBe(`partition 5 of ${TOPIC} ${other}`);
    expect(await words(logOf('test', recorded))).toBe('planned');
  });

  it('does not wait for ever, and says how far it is complete', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }], 1);
    await pass(25);
    world.logEnds = new Map([[1, 500n]]);
    await world.plan(key, 'schedule');
    await pass(2);
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
    const [run] = await runsOf(key.organizationId);
    const positions = await world.positions.readAll(world.db, 'consent');
    const recorded = positions.find(({ partition }) => partition === 1)?.arrivedAt;
    expect(run?.completeUntil?.getTime()).toBe(Math.min(Number(recorded), Number(run?.dueAt)));
  });

  it('waits for a partition that is stopped and for a broker that is away', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }], 2);
    await pass(25);
    const position = await world.positions.find(world.db, 'consent', TOPIC, 2);
    if (position === undefined) throw new Error('no position');
    await world.positions.stop(world.db, position, 'The log was replaced.');
    world.logEnds = new Map([[2, 0n]]);
    expect(await world.plan(key, 'schedule')).toEqual({
      outcome: 'waiting',
      waitingFor: `partition 2 of ${TOPIC} is stopped: The log was replaced.`,
    });
    await world.positions.resume(world.db, position);
    const offsetsAt = () => Promise.reject(new KafkaError('broker_unavailable', 'Kafka: no broker'));
    const away = await world.plan(key, 'schedule', { log: { ...emptyLog, offsetsAt } });
    expect(away).toEqual({ outcome: 'waiting', waitingFor: 'the log cannot be read (Kafka: no broker)' });
  });

  it('has no due times while its integration is disabled; the next one covers the pause', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'before', user: ann }]);
    await world.deliver(key);
    await world.schedules.pause(world.db, key);
    await pass(24 * 5);
    await world.record(key.organizationId, [{ id: 'during', user: ann }]);
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'not_due' });
    await world.db.transaction((tx) => world.schedules.resume(tx, key));
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'not_due' });
    await pass(25);
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
    const run = await world.claim();
    expect(run.dueTimes).toHaveLength(1);
    await world.execute(run);
    expect([...deliveredEvents(await world.linesOf(run)).keys()]).toEqual(['during']);
  });
});

describe('a manual run', () => {
  it('is the next window early; the scheduled one goes on from there', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: ann }]);
    const due = (await world.schedules.find(world.db, key))?.nextDueAt;
    const manual = await world.deliver(key);
    expect((await world.schedules.find(world.db, key))?.nextDueAt).toEqual(due);
    await world.record(key.organizationId, [{ id: 'e2', user: ann }]);
    await pass(25);
    await world.plan(key, 'schedule');
    const scheduled = await world.claim();
    await world.execute(scheduled);
    expect(scheduled.window.from).toEqual(manual.window.to);
    expect([...deliveredEvents(await world.linesOf(scheduled)).keys()]).toEqual(['e2']);
  });

  it('does not wait for the recorder, but says how far it is complete', async () => {
    const key = await world.newIntegration();
    world.logEnds = new Map([[7, 10n]]);
    expect(await world.plan(key, 'manual')).toMatchObject({ outcome: 'planned' });
    const [run] = await runsOf(key.organizationId);
    expect(run).toMatchObject({ trigger: 'manual', completeUntil: undefined });
  });

  it('is of an integration that exists', async () => {
    const key = await world.newIntegration();
    expect(await world.plan({ ...key, integrationId: 'none' })).toEqual({ outcome: 'absent' });
    await world.db.transaction((tx) => world.schedules.remove(tx, key));
    expect(await world.plan(key)).toEqual({ outcome: 'absent' });
  });
});

describe('windows', () => {
  it('hold each event once, however planning and recording interleave', async () => {
    const key = await world.newIntegration();
    const ids: string[] = [];
    const record = async (partition: number) => {
      for (let n = 0; n < 12; n += 1) {
        const batch = Array.from({ length: 5 }, (_, i) => `p${partition}-${n}-${i}`);
        ids.push(...batch);
        await world.record(
          key.organizationId,
          batch.map((id) => ({ id, user: { organization_user_id: `u${n % 4}` } })),
          partition,
        );
      }
    };
    const planning = async () => {
      for (let n = 0; n < 12; n += 1) await world.plan(key);
    };
    await Promise.all([record(4), record(5), record(6), planning(), planning()]);
    await world.plan(key);
    const all = new Map<string, number>();
    for (const planned of await runsOf(key.organizationId)) {
      const run = await world.claim();
      expect(run.id).toBe(planned?.id);
      expect(await world.execute(run)).toBe('completed');
      for (const [id, count] of deliveredEvents(await world.linesOf(run))) all.set(id, (all.get(id) ?? 0) + count);
    }
    expect([...all.keys()].sort()).toEqual(ids.sort());
    expect(new Set(all.values())).toEqual(new Set([1]));
  });

  it('never run backwards when a restored database has recorded less than was planned', async () => {
    const key = await world.newIntegration();
    await world.record(
      key.organizationId,
      [
        { id: 'e1', user: ann },
        { id: 'e2', user: ann },
      ],
      8,
    );
    await world.deliver(key);
    const before = await world.positions.readAll(world.db, 'consent');
    const restored = before.map((position) => (position.partition === 8 ? { ...position, nextOffset: 1n } : position));
    await world.planned(key, { positions: at(restored) });
    const run = await world.claim();
    expect(run.window.to).toEqual(run.window.from);
    expect(await world.execute(run, { positions: at(restored) })).toBe('retrying');
  });
});
