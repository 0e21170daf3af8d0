import { daysCompletedBy, hourOf, hourStart } from '@delivery/analytics/domain';
import { hoursName, interactions, interactionsTopic, topicSpecs } from '@delivery/analytics/schema';
import { ConsentRollupStore, OpenHourStore } from '@delivery/analytics/store';
import { normalizeEvent } from '@delivery/consent/domain';
import { consentEventsTopic, consentRecorderName, topicSpecs as consentTopics } from '@delivery/consent/schema';
import { recordEvents } from '@delivery/consent/store';
import { RewindStore } from '@delivery/ingest/store';
import type { Recorder } from '@delivery/ingest/recorder';
import { testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';
import type { PoolClient } from 'pg';
import { beginHours } from '../closing/begin-hours';
import { type Closed, closeOverHours } from '../closing/close-hours';
import { sweepOldClaims } from '../closing/sweep-claims';
import { rollUpConsents } from '../consents/roll-up-consents';
import { startRecorder } from './recording';
import { awayFromHourEnd, openAs, RollupWorld } from './rollup-world';

const never = new AbortController().signal;
const shown = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 's' } as const;

let kafka: TestKafka;
let world: RollupWorld;
const recorders: Recorder[] = [];

beforeEach(async () => {
  await awayFromHourEnd();
  kafka = await testKafka([...topicSpecs(2), ...consentTopics(1)]);
  world = await RollupWorld.open(['acme']);
});
afterEach(async () => {
  await Promise.all(recorders.splice(0).map((recorder) => recorder.stop()));
  await kafka.close();
  await world.close();
});

let late = 0;
const countedLate = (count: number): void => void (late += count);

const record = async (): Promise<void> => {
  late = 0;
  recorders.push(await startRecorder(world.aggregator, kafka.connection, { groupId: 'record', countedLate }));
};

const publish = (count: number): Promise<unknown> =>
  kafka.connection.publisher().publish(
    interactionsTopic,
    Array.from({ length: count }, (_, n) => ({ key: `key ${n}`, value: interactions.encode(shown) })),
  );

/** Closes what is over, by the clock as it is set now, in as many calls as it takes. */
async function close(options: { later?: string; graceSeconds?: number } = {}) {
  if (options.later !== undefined) await world.moveClock(options.later);
  const database = await openAs(world.test, 'delivery_aggregator');
  const done: Closed[] = [];
  const deps = {
    graceSeconds: options.graceSeconds ?? 0,
    positions: world.positions,
    consents: new ConsentRollupStore(),
    closed: (each: Closed) => done.push(each),
  };
  try {
    for (;;) {
      const before = done.length;
      const state = await closeOverHours({ ...deps, database, log: kafka.connection });
      if (done.length === before) return { ...state, done };
      expect(done).toHaveLength(before + 1);
    }
  } finally {
    await database.close();
  }
}

const rollUp = () =>
  rollUpConsents({
    database: world.aggregator,
    consents: new ConsentRollupStore(),
    everySeconds: 1,
    counted: () => undefined,
    seen: () => undefined,
  }).run(never);

const displays = async () => {
  const [row] = await world.db.query<{ closed: number; open: number }>(
    `SELECT (SELECT coalesce(sum(notice_displays), 0)::int FROM hourly_metric) AS closed,
       (SELECT coalesce(sum(notice_displays), 0)::int FROM interaction_hourly) AS open`,
  );
  return row;
};

const recorded = (count: number) =>
  waitFor(async () => (await displays())?.open === count, { describe: `${count} to be recorded` });

describe('closing hours', () => {
  it('catches up from where the log may begin, a day at once, and stops before the present hour', async () => {
    const { nextHour, behindSeconds, done, waitingFor } = await close();
    const now = hourOf(new Date());
    expect({ nextHour, behindSeconds, waitingFor }).toEqual({ nextHour: now, behindSeconds: 0, waitingFor: undefined });
    expect(done.map(({ hours }) => hours)).toEqual(Array.from({ length: 8 }, () => 24));
    const position = await world.positions.find(world.db, hoursName, hoursName, 0);
    expect(position).toMatchObject({ firstOffset: BigInt(now - 192), nextOffset: BigInt(now), recorded: 192n });
    expect((await close()).done).toEqual([]);
  });

  it('begins with the first consent that is kept', async () => {
    await world.close();
    world = await RollupWorld.open(['acme', 'zeta']);
    await world.db.query(`TRUNCATE analytics_open_hour; DELETE FROM ingest_position`);
    const first = new Date(Date.now() - 1000 * 3_600_000);
    await recordConsent(first);
    await recordConsent(new Date());
    await Promise.all([beginHours(world.aggregator), beginHours(world.aggregator)]);
    const position = await world.positions.find(world.db, hoursName, hoursName, 0);
    expect(position?.nextOffset).toBe(BigInt(hourOf(first)));
    await expect(new OpenHourStore().read(world.db)).resolves.toBe(hourOf(first));
  });

  it('waits until what arrived before the end of the hour is recorded, and says so', async () => {
    await publish(5);
    const { nextHour } = await close();
    expect(nextHour).toBe(hourOf(new Date()));
    const late = await close({ later: '90 minutes' });
    expect(late.nextHour).toBe(nextHour);
    expect(late.behindSeconds).toBeGreaterThan(1700);
    expect(late.waitingFor).toMatch(/partition [01] of consent\.interactions\.v1 is \d messages behind/);
    await record();
    await recorded(5);
    await expect(close()).resolves.toMatchObject({ waitingFor: undefined, behindSeconds: 0 });
    await expect(displays()).resolves.toEqual({ closed: 5, open: 0 });
  });

  it('leaves an hour open for a while: the clock of a broker may be behind', async () => {
    const present = hourOf(new Date());
    const sinceHour = Math.floor((Date.now() - hourStart(present).getTime()) / 1000);
    await expect(close({ graceSeconds: sinceHour + 600 })).resolves.toMatchObject({ nextHour: present - 1 });
    await expect(close()).resolves.toMatchObject({ nextHour: present });
  });

  it.each(['commit', 'abort'] as const)('waits for a transaction that is open, until its %s', async (end) => {
    await record();
    const open = await kafka.admin.begin(interactionsTopic);
    await open.send([{ partition: 0, value: interactions.encode(shown) }]);
    await kafka.admin.produce(interactionsTopic, [{ partition: 1, value: interactions.encode(shown) }]);
    await recorded(1);
    const waiting = await close({ later: '90 minutes' });
    expect(waiting.waitingFor).toBe(
      'partition 0 of consent.interactions.v1 is 1 messages behind, which wait for a producer to end its transaction',
    );
    expect(waiting.nextHour).toBe(hourOf(new Date()));
    await open[end]();
    const done = () => close().then(({ waitingFor }) => waitingFor === undefined);
    await waitFor(done, { describe: 'the hour to be closed', timeoutMs: 60_000 });
    await expect(displays()).resolves.toEqual({ closed: end === 'commit' ? 2 : 1, open: 0 });
  });

  it('closes what it can while the recorder is behind', async () => {
    await publish(2);
    const present = hourOf(new Date());
    // Nothing is recorded, but nothing had arrived by the first ends, either: half of the rest each time.
    const { nextHour, waitingFor } = await close({ later: '30 hours' });
    expect(nextHour).toBe(present);
    expect(waitingFor).toContain('messages behind');
  });

  it('loses nothing that comes late: it counts in the first open hour', async () => {
    await record();
    await publish(3);
    await recorded(3);
    await close({ later: '49 hours' });
    await expect(displays()).resolves.toEqual({ closed: 3, open: 0 });
    // For the log it is still the hour that was closed two days ago.
    await publish(4);
    await recorded(4);
    await waitFor(() => late === 4, { describe: 'what came late to be told' });
    const closed = await world.rows('SELECT * FROM hourly_metric');
    await close({ later: '51 hours' });
    await expect(displays()).resolves.toEqual({ closed: 7, open: 0 });
    expect(await world.rows('SELECT * FROM hourly_metric')).toEqual(expect.arrayContaining(closed));
    const hours = await world.rows('SELECT DISTINCT hour FROM hourly_metric');
    expect(Number(hours.at(-1)) - Number(hours[0])).toBeGreaterThanOrEqual(48);
  });

  it('waits for the consents to be recorded and counted', async () => {
    await kafka.connection.publisher().publish(consentEventsTopic, [{ key: 'a', value: Buffer.from('{}') }]);
    const behind = await close({ later: '2 hours' });
    expect(behind.waitingFor).toContain('partition 0 of consent.events.v1 is 1 messages behind');
    await recordConsent(new Date());
    const uncounted = await close();
    expect(uncounted.waitingFor).toBe('1 messages of partition 0 of consent.events.v1 are recorded and not counted');
    await rollUp();
    await expect(close()).resolves.toMatchObject({ waitingFor: undefined });
    const [row] = await world.db.query(
      'SELECT consents_partial::int AS partial, consents_positive::int AS positive FROM hourly_metric',
    );
    expect(row).toEqual({ partial: 1, positive: 0 });
  });

  it('waits for no consents of a log that was made anew and holds nothing', async () => {
    await recordConsent(new Date(), { offset: 77n });
    await rollUp();
    // As long as nobody has said so, what was recorded is not of this log.
    expect((await close({ later: '2 hours' })).waitingFor).toBe(
      'partition 0 of consent.events.v1 was recorded up to offset 78, and ends at 0 now: the topic was made anew',
    );
    await recordConsent(new Date(), { offset: 77n });
    await world.db.transaction(async (tx) =>
      world.positions.beginEpoch(tx, {
        ...consentPlace,
        clusterId: await kafka.connection.clusterId(),
        firstOffset: 0n,
      }),
    );
    expect((await close()).waitingFor).toContain('recorded and not counted');
    await rollUp();
    expect((await close()).waitingFor).toBeUndefined();
  });

  it('closes nothing in a database that went back', async () => {
    const place = { topic: consentEventsTopic, partition: 0, epoch: 1, nextOffset: 9n };
    await recordConsent(new Date());
    await rollUp();
    await new RewindStore().notice(world.db, consentRecorderName, [place]);
    const { waitingFor, done } = await close({ later: '2 hours' });
    expect(waitingFor).toContain('deliveries reconcile');
    expect(done).toEqual([]);
  });

  it('leaves the hours to others when its process is gone in the middle', async () => {
    const held = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = world.db.transaction(async (tx) => {
      await tx.query('LOCK TABLE hourly_metric IN SHARE MODE');
      locked.resolve();
      await held.promise;
    });
    await locked.promise;
    const database = await openAs(world.test, 'delivery_aggregator');
    const clients: PoolClient[] = [];
    database.pool.on('acquire', (client) => clients.push(client));
    const deps = { positions: world.positions, consents: new ConsentRollupStore(), graceSeconds: 0 };
    const closing = closeOverHours({ ...deps, database, log: kafka.connection, closed: () => undefined }).catch(
      (error: unknown) => error,
    );
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'hourly_metric'::regclass`;
    const waits = async () => (await world.db.query(waiting)).length > 0;
    await waitFor(waits, { describe: 'it to be closing' });
    for (const { connection } of clients) connection.stream.destroy();
    await expect(closing).resolves.toMatchObject({ code: 'unavailable' });
    await waitFor(async () => !(await waits()), { describe: 'Postgres to notice', timeoutMs: 60_000 });
    held.resolve();
    await holding;
    await database.close();
    await expect(close()).resolves.toMatchObject({ behindSeconds: 0 });
  });

  it('waits for whoever counts, who then counts no more into what was sealed', async () => {
    const open = new OpenHourStore();
    const before = await open.read(world.db);
    const steps: string[] = [];
    const counting = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const first = world.aggregator.transaction(async (tx) => {
      expect(await open.hold(tx)).toBe(before);
      holding.resolve();
      await counting.promise;
      steps.push('counted');
    });
    await holding.promise;
    const sealing = world.aggregator.transaction((tx) => open.seal(tx, before + 5)).then(() => steps.push('sealed'));
    await waitForLock(1);
    const next = world.aggregator.transaction(async (tx) =>
      steps.push(`counts from ${(await open.hold(tx)) - before}`),
    );
    await waitForLock(2);
    counting.resolve();
    await Promise.all([first, sealing, next]);
    // That it counts from there says that it was sealed before; who is told first, nobody knows.
    expect([steps[0], ...steps.slice(1).sort()]).toEqual(['counted', 'counts from 5', 'sealed']);
  });

  it('makes a day final with its last hour', async () => {
    const day = hourStart(hourOf(new Date())).toISOString().slice(0, 10);
    await record();
    const decision = { ...shown, type: 'DECISION', device_id: 'd', action: 1, action_type: 'explicit' } as const;
    const services = [{ template_id: 't', consent: 1 }] as const;
    await kafka.connection
      .publisher()
      .publish(interactionsTopic, [{ key: 'd', value: interactions.encode({ ...decision, services }) }]);
    await waitFor(async () => (await world.rows('SELECT * FROM interaction_decision')).length === 1, {
      describe: 'it',
    });
    await close();
    expect(await world.rows('SELECT * FROM granular_daily')).toEqual([]);
    const { nextHour } = await close({ later: '24 hours' });
    expect(daysCompletedBy(hourOf(new Date()), nextHour)).toContain(day);
    expect(
      await world.rows('SELECT day::text, service, action, action_type, consent, count FROM granular_daily'),
    ).toEqual([`${day}|t|1|explicit|1|1`]);
    expect(await world.rows('SELECT * FROM interaction_decision')).toEqual([]);
  });
});

describe('the sweep of old ids', () => {
  const hoursAgo = async (hours: readonly number[]) => {
    await world.db.query(
      `INSERT INTO interaction_claim SELECT 'acme', gen_random_uuid(), now() - make_interval(hours => h)
       FROM unnest($1::int[]) h, generate_series(1, 2000)`,
      [hours],
    );
  };
  const left = () =>
    world.rows(`SELECT round(extract(epoch FROM now() - arrived_at) / 3600) AS hours, count(*) FROM interaction_claim
      GROUP BY 1`);
  const sweep = () => sweepOldClaims(world.aggregator).run(never);

  it('removes those that no message can meet, by the log and not by the clock', async () => {
    await hoursAgo([1, 30, 60, 90]);
    await close({ later: '400 hours' });
    await sweep();
    expect(await left()).toHaveLength(4); // nothing was recorded: who knows what the log holds
    await record();
    await publish(1);
    await recorded(1);
    await sweep();
    expect(await left()).toEqual(['1|2000', '30|2000']);
  });

  it('keeps those of hours that are not sealed, however late it is', async () => {
    await record();
    await publish(1);
    await recorded(1);
    await hoursAgo([60, 230, 250]);
    await sweep();
    expect(await left()).toEqual(['230|2000', '60|2000']);
  });
});

const consentPlace = { consumer: consentRecorderName, topic: consentEventsTopic, partition: 0 };

/** A consent that has reached its recorder, without a choice. */
async function recordConsent(arrivedAt: Date, { offset = 0n } = {}): Promise<void> {
  const clusterId = await kafka.connection.clusterId();
  await world.positions.begin(world.db, { ...consentPlace, clusterId, firstOffset: offset });
  await world.db.transaction(async (tx) => {
    const position = await world.positions.lock(tx, consentRecorderName, consentEventsTopic, 0);
    if (position === undefined) throw new Error('no position');
    const { nextOffset } = position;
    const place = { topicId: 1, partition: 0, epoch: 1, offset: nextOffset };
    const input = { organization_id: 'acme', id: `e${nextOffset}`, user: { id: 'u' } };
    const source = { clusterId: 'c', topic: consentEventsTopic, position: place, arrivedAt: arrivedAt.getTime() };
    await recordEvents(tx, [{ event: normalizeEvent(input, source), arrivedAt }]);
    const counted = { recorded: 1n, duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
    await world.positions.advance(tx, { position, nextOffset: nextOffset + 1n, counted });
  });
}

/** Until so many transactions wait for the lock. */
function waitForLock(count: number): Promise<unknown> {
  const text = `SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'analytics_open_hour'::regclass`;
  return waitFor(async () => (await world.db.query(text)).length === count, { describe: `${count} to wait` });
}
