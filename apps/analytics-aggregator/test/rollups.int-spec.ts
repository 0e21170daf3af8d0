import { daysCompletedBy, hourOf, hourStart } from '@delivery/analytics/domain';
import { interactionsTopic } from '@delivery/analytics/schema';
import { closeHours, OpenHourStore } from '@delivery/analytics/store';
import { KnownOrganizations, type LogMessage, type RecordOutcome } from '@delivery/ingest/recorder';
import { InteractionsRecorder } from '../record/interactions.recorder';
import { Dice, organizations, randomInteraction } from './random-interactions';
import { recount, type Seen } from './recount';
import { RollupWorld } from './rollup-world';

const recorder = new InteractionsRecorder(new KnownOrganizations(), () => undefined);
/** Begins within the hours that are open in a new database. */
const start = hourStart(hourOf(new Date()) - 100);
const hours = 80;
const end = start.getTime() + hours * 3_600_000;

let world: RollupWorld;
beforeEach(async () => {
  world = await RollupWorld.open(organizations);
});
afterEach(() => world.close());

function message({ offset, arrivedAt }: Seen): LogMessage {
  return { offset: BigInt(offset), key: null, value: null, headers: {}, appendedAt: arrivedAt, arrivedAt };
}

/** Records a batch of one partition, in a transaction of its own. */
function outcomeOf(batch: readonly Seen[]): Promise<RecordOutcome> {
  const partition = batch[0]?.partition ?? 0;
  const source = { clusterId: 'c', topic: interactionsTopic, topicId: 3, partition, epoch: 1 };
  const items = batch.map((seen) => ({ message: message(seen), value: seen.interaction }));
  return world.aggregator.transaction((tx) => recorder.record(tx, items, source));
}

/** @returns duplicates */
async function record(batch: readonly Seen[]): Promise<number> {
  const outcome = await outcomeOf(batch);
  expect(outcome.rejected).toEqual([]);
  return outcome.duplicates;
}

/** Makes everything final that was counted. */
async function closeAll(): Promise<void> {
  await world.aggregator.transaction(async (tx) => {
    const open = new OpenHourStore();
    const [from, to] = [await open.read(tx), (Math.floor(hourOf(new Date()) / 24) + 1) * 24];
    await open.seal(tx, to);
    await closeHours(tx, { from, to, days: daysCompletedBy(from, to) });
  });
}

const metrics = () =>
  world.rows(`SELECT organization_id, to_char(to_timestamp(hour * 3600) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), settings_id,
    domain, platform, device_type, country, regulation, pageviews, sessions, notice_displays, ui_interactions
    FROM hourly_metric`);
const daily = () =>
  world.rows(`SELECT organization_id, day::text, settings_id, event_type, platform, browser, country, sum(count)
    FROM interaction_daily GROUP BY 1, 2, 3, 4, 5, 6, 7`);
const granular = () =>
  world.rows(`SELECT organization_id, day::text, settings_id, template_id, service, action, action_type, consent, count
    FROM granular_daily`);

/** Partitions whose interactions arrive over some days, each in its order, recorded in turns of whatever size. */
function* turns(dice: Dice, count: number): Generator<Seen[]> {
  const partitions = [0, 1, 2].map((partition) => ({ partition, offset: 0, at: start.getTime() }));
  const step = (hours * 3_600_000 * partitions.length * 2) / count;
  for (let made = 0; made < count;) {
    const at = dice.of(partitions);
    const batch = Array.from({ length: 1 + dice.below(dice.of([3, 60, 400])) }, (): Seen => {
      at.at = Math.min(end, at.at + dice.of([0, dice.roll() * step]));
      return {
        interaction: randomInteraction(dice),
        partition: at.partition,
        offset: (at.offset += 1 + dice.below(2)),
        arrivedAt: new Date(Math.floor(at.at)),
      };
    });
    made += batch.length;
    yield batch;
  }
}

function onePartition(dice: Dice, count: number): Seen[] {
  const seen = [...turns(dice, count)].flat().sort((a, b) => a.arrivedAt.getTime() - b.arrivedAt.getTime());
  return seen.map((each, offset) => ({ ...each, partition: 0, offset }));
}

describe('what is recorded', () => {
  it.each([1, 2, 3])('adds up to an independent recount (seed %i)', async (seed) => {
    const seen: Seen[] = [];
    let duplicates = 0;
    for (const batch of turns(new Dice(seed), 4_000)) {
      seen.push(...batch);
      duplicates += await record(batch);
    }
    const expected = recount(seen);
    expect(duplicates).toBe(expected.duplicates);
    expect(duplicates).toBeGreaterThan(300);
    expect(expected.again).toBeGreaterThan(30);
    expect(await daily()).toEqual(expected.daily);
    await closeAll();
    // Added up, without the partitions that they were read from.
    expect(await daily()).toEqual(expected.daily);
    expect(await world.rows('SELECT count(*) FROM interaction_daily')).toEqual([String(expected.daily.length)]);
    expect(await world.rows('SELECT DISTINCT partition FROM interaction_daily')).toEqual(['-1']);
    expect(await metrics()).toEqual(expected.metrics);
    expect(await granular()).toEqual(expected.granular);
    for (const open of ['interaction_hourly', 'interaction_session', 'interaction_decision']) {
      expect(await world.rows(`SELECT * FROM ${open}`)).toEqual([]);
    }
  });

  it.each([1, 3, 100])(
    'has so many services of a device, and rejects what brings more (%i in a batch)',
    async (size) => {
      const decision = (n: number, services: readonly string[], device = 'greedy'): Seen => ({
        interaction: {
          ...{ organization_id: 'acme', type: 'DECISION', settings_id: 's', device_id: device },
          ...{ action: 1, action_type: 'explicit' },
          services: services.map((id) => ({ template_id: id, consent: 1 })),
        },
        partition: 0,
        offset: n,
        arrivedAt: start,
      });
      const names = (from: number, count: number) => Array.from({ length: count }, (_, n) => `s${from + n}`);
      const sent = [
        ...[0, 1, 2, 3].map((n) => decision(n, names(n * 495, 500))),
        decision(4, names(1900, 200)),
        decision(5, names(1985, 15)),
        decision(6, ['a', 'b', 'c'], 'modest'),
        decision(7, ['one more']),
        ...[8, 9, 10].map((n) => decision(n, names(0, 500))),
        ...Array.from({ length: 5 }, (_, n) => decision(11 + n, names(n * 500, 500), 'sudden')),
      ];
      const rejected: RecordOutcome['rejected'][number][] = [];
      for (let begin = 0; begin < sent.length; begin += size) {
        rejected.push(...(await outcomeOf(sent.slice(begin, begin + size))).rejected);
      }
      expect(rejected.map(({ message: { offset } }) => Number(offset)).sort((a, b) => a - b)).toEqual([4, 7, 15]);
      expect(rejected[0]?.reasons).toMatchObject([
        { field: 'services', code: 'too_many_services', message: expect.stringContaining('2,000 services a day') },
      ]);
      await closeAll();
      const [row] = await world.db.query('SELECT sum(count)::int AS devices FROM granular_daily');
      expect(row).toEqual({ devices: 2000 + 3 + 2000 });
    },
  );

  it('is the same in one batch or in many', async () => {
    const one = onePartition(new Dice(7), 300);
    for (const each of one) await record([each]);
    await closeAll();
    const single = [await metrics(), await daily(), await granular()];
    await world.close();
    world = await RollupWorld.open(organizations);
    await record(one);
    await closeAll();
    expect([await metrics(), await daily(), await granular()]).toEqual(single);
  });

  it('knows an id for 24 hours, to the millisecond, within a batch as between two', async () => {
    const shown = (minutes: number, ms = 0): Seen => ({
      interaction: { organization_id: 'acme', id: 'same', type: 'CMP_SHOWN', settings_id: 's' },
      partition: 0,
      offset: minutes,
      arrivedAt: new Date(start.getTime() + minutes * 60_000 + ms),
    });
    const day = 24 * 60;
    await expect(record([shown(0), shown(1)])).resolves.toBe(1);
    await expect(record([shown(day, -1)])).resolves.toBe(1);
    // The first is one day after the first of all, and counts again from there.
    await expect(record([shown(day), shown(2 * day, -1), shown(2 * day)])).resolves.toBe(1);
    await expect(record([shown(2 * day + 5)])).resolves.toBe(1);
    // A partition that is far behind brings it from before: it is another one.
    await expect(record([shown(day - 5)])).resolves.toBe(0);
    await expect(record([shown(2 * day + 6)])).resolves.toBe(1);
    await expect(
      record([{ ...shown(0), interaction: { ...shown(0).interaction, organization_id: 'zeta' } }]),
    ).resolves.toBe(0);
  });

  it('counts into the first open hour what arrived in one that is sealed', async () => {
    const open = hourOf(start) + 30;
    await world.aggregator.transaction((tx) => new OpenHourStore().seal(tx, open));
    const seen = onePartition(new Dice(11), 300);
    await record(seen);
    const clamped = seen.map((each) => ({
      ...each,
      arrivedAt: new Date(Math.max(each.arrivedAt.getTime(), hourStart(open).getTime())),
    }));
    expect(await daily()).toEqual(recountAsRecorded(seen, clamped).daily);
    await closeAll();
    expect(await metrics()).toEqual(recountAsRecorded(seen, clamped).metrics);
  });

  it('is in its hour though that is sealed before it is committed', async () => {
    const [seen] = onePartition(new Dice(13), 1).filter(({ interaction }) => interaction.type !== 'DECISION');
    if (seen === undefined) throw new Error('nothing to record');
    const source = { clusterId: 'c', topic: interactionsTopic, topicId: 3, partition: 0, epoch: 1 };
    const [counted, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const recording = world.aggregator.transaction(async (tx) => {
      await recorder.record(tx, [{ message: message(seen), value: seen.interaction }], source);
      counted.resolve();
      await commit.promise;
    });
    await counted.promise;
    const closing = closeAll();
    await world.untilSealingWaits();
    commit.resolve();
    await Promise.all([recording, closing]);
    expect(await metrics()).toEqual(recount([seen]).metrics);
  });

  it('refuses organizations that do not exist, and records the rest', async () => {
    const known = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 's' } as const;
    const items = ['acme', 'nobody', 'zeta'].map((organization, offset) => ({
      message: message({ interaction: known, partition: 0, offset, arrivedAt: start }),
      value: { ...known, organization_id: organization },
    }));
    const source = { clusterId: 'c', topic: interactionsTopic, topicId: 3, partition: 0, epoch: 1 };
    const outcome = await world.aggregator.transaction((tx) => recorder.record(tx, items, source));
    expect(outcome.rejected).toMatchObject([
      { message: { offset: 1n }, organizationId: 'nobody', reasons: [{ code: 'unknown_organization' }] },
    ]);
    expect(await daily()).toHaveLength(2);
  });
});

/** Repetitions are told by the arrivals, hours by where they were counted. */
function recountAsRecorded(seen: readonly Seen[], counted: readonly Seen[]) {
  const without = (list: readonly Seen[]) =>
    list.map((each) => ({ ...each, interaction: { ...each.interaction, id: null } }));
  const fresh = seen.filter(
    (each, n) => recount(seen.slice(0, n + 1)).duplicates === recount(seen.slice(0, n)).duplicates,
  );
  const places = new Set(fresh.map(({ offset }) => offset));
  return recount(without(counted.filter(({ offset }) => places.has(offset))));
}
