import { setTimeout as delay } from 'node:timers/promises';
import { hourOf } from '@delivery/analytics/domain';
import { ConsentRollupStore, OpenHourStore } from '@delivery/analytics/store';
import { type ConsentEventInput, normalizeEvent } from '@delivery/consent/domain';
import { consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { recordEvents } from '@delivery/consent/store';
import { contentOf } from '@delivery/exports/engine';
import { rollUpConsents } from '../consents/roll-up-consents';
import { Dice, organizations } from './random-interactions';
import { RollupWorld } from './rollup-world';

const topicId = 1;
const key = { consumer: consentRecorderName, topic: consentEventsTopic, clusterId: 'c' };
const never = new AbortController().signal;
/** From one month into the next: rows of different months lie in different tables. */
const begun = Date.UTC(2026, 4, 30, 9);

let world: RollupWorld;
let events = 0;
/** What was recorded, as it has to be counted. */
let expectedGuests: Record<string, number> = {};
let expected: Record<string, [positive: number, negative: number, partial: number]> = {};

beforeEach(async () => {
  world = await RollupWorld.open(organizations);
  await world.db.query('UPDATE analytics_open_hour SET hour = $1', [hourOf(new Date(begun))]);
  expected = {};
  expectedGuests = {};
});
afterEach(() => world.close());

/** An event that has choices of one kind or of both, or none, with the row and the column that it counts in. */
function randomEvent(dice: Dice) {
  const outcome = dice.below(3);
  const dimensions = dice.of([
    {
      metadata: { settings_id: 's1', domain: 'a.example.org', device_type: 'mobile', platform: 'tv' },
      as: 's1|a.example.org|tv|mobile',
    },
    { metadata: { notice_id: 'n1', domain: 7, device_type: { a: 1 } }, as: 'n1|||' },
    { metadata: { settings_id: 5, notice_id: 'n1' }, as: '|||' },
    {
      metadata: { settings_id: 'x'.repeat(300), domain: 'd'.repeat(999) },
      as: `${'x'.repeat(64)}|${'d'.repeat(253)}||`,
    },
    { metadata: {}, source: 'sdk-web', as: '||web|' },
    { metadata: { platform: null }, source: 'sdk-mobile', as: '||app|' },
  ] as const);
  const regulation = dice.of(['gdpr', 'ccpa']);
  const country = dice.of([
    { last_seen_country: 'FR', country: 'DE', as: 'FR' },
    { country: 'DE', as: 'DE' },
    { as: '' },
  ] as const);
  const organization = dice.of(organizations);
  const confirmed = dice.below(8) > 0;
  const known = dice.below(2) > 0;
  const anonymous = !known && 'source' in dimensions;
  const input: ConsentEventInput = {
    organization_id: organization,
    id: `e${(events += 1)}`,
    status: confirmed ? 'confirmed' : 'pending_approval',
    regulation,
    ...('source' in dimensions && { source: dimensions.source }),
    user: {
      id: `${anonymous ? 'guest' : 'u'}${dice.below(20)}`,
      ...(known && { organization_user_id: 'known' }),
      ...('country' in country && { country: country.country }),
      ...('last_seen_country' in country && { last_seen_country: country.last_seen_country }),
    },
    metadata: structuredClone(dimensions.metadata),
    consents: choices(dice, outcome),
  };
  return {
    input,
    outcome,
    confirmed,
    guest: anonymous && regulation === 'gdpr',
    row: [organization, dimensions.as, country.as, regulation].join('|'),
  };
}

function choices(dice: Dice, outcome: number): NonNullable<ConsentEventInput['consents']> {
  const purpose = (id: string, enabled: boolean) => ({ purposes: [{ id, enabled }, { id: `${id}-open` }] });
  const one = (enabled: boolean) =>
    dice.of([
      purpose('p', enabled),
      { channels: [{ id: 'mail', enabled }] },
      { vendors: enabled ? { enabled: ['v'] } : { disabled: ['v'] } },
    ]);
  if (outcome < 2) return one(outcome === 0);
  return dice.of<NonNullable<ConsentEventInput['consents']>>([
    {},
    { purposes: [{ id: 'p' }], vendors: { enabled_li: ['v'] } },
    { ...purpose('p', true), channels: [{ id: 'mail', enabled: false }] },
    { ...purpose('p', false), vendors: { enabled: ['v'] } },
  ]);
}

/** Records a batch as the recorder does, and notes what it has to add up to. */
async function record(dice: Dice, partition: number, count: number, arrivedAt: Date): Promise<void> {
  const made = Array.from({ length: count }, () => randomEvent(dice));
  await world.db.transaction(async (tx) => {
    const position = await world.positions.lock(tx, key.consumer, key.topic, partition);
    if (position === undefined) throw new Error('no position');
    const { epoch, nextOffset: first } = position;
    const batch = made.map(({ input }, n) => {
      const at = { topicId, partition, epoch, offset: first + BigInt(n) };
      const place = { clusterId: 'c', topic: key.topic, position: at, arrivedAt: arrivedAt.getTime() };
      return { event: normalizeEvent(input, place), arrivedAt };
    });
    await recordEvents(tx, batch);
    // Some offsets hold nothing, as those of markers do.
    const counted = { recorded: BigInt(count), duplicates: 0n, rejected: 0n, suppressed: 0n, control: 3n };
    await world.positions.advance(tx, { position, nextOffset: first + BigInt(count) + 3n, counted });
  });
  const hour = arrivedAt.toISOString().slice(0, 13);
  for (const { outcome, row } of made.filter(({ confirmed }) => confirmed)) {
    const counts = (expected[`${hour}|${row}`] ??= [0, 0, 0]);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  for (const { input } of made.filter(({ confirmed, guest }) => confirmed && guest)) {
    expectedGuests[input.organization_id] = (expectedGuests[input.organization_id] ?? 0) + 1;
  }
}

async function recordThroughEpochs(dice: Dice): Promise<void> {
  const place = (partition: number, firstOffset: bigint) => ({ ...key, partition, firstOffset });
  for (const partition of [0, 1]) await world.positions.begin(world.db, place(partition, BigInt(partition) * 40n));
  let at = begun;
  for (let n = 0; n < 24; n += 1) {
    await record(dice, dice.below(2), 1 + dice.below(20), new Date((at += dice.below(6 * 3_600_000))));
    // The log is made anew, once with the offsets of the old one and once far beyond them; one epoch stays empty.
    if (n === 8) await world.positions.beginEpoch(world.db, place(0, 0n));
    if (n === 12) await world.positions.beginEpoch(world.db, place(1, 5_000n));
    if (n === 13) await world.positions.beginEpoch(world.db, place(1, 2n));
  }
}

const counted = () =>
  world.rows(`SELECT to_char(to_timestamp(hour * 3600) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), organization_id, settings_id,
    domain, platform, device_type, country, regulation, sum(positive) AS positive, sum(negative) AS negative,
    sum(partial) AS partial
    FROM consent_hourly GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`);
const wanted = () =>
  Object.entries(expected)
    .map(([row, counts]) => [row, ...counts].join('|'))
    .sort();

function rollUp(limit: number, options: { sliceMs?: number } = {}) {
  const told = { consents: 0, late: 0 };
  const task = rollUpConsents({
    ...options,
    database: world.aggregator,
    consents: new ConsentRollupStore(),
    everySeconds: 1,
    limit,
    counted: ({ consents, late }) => {
      told.consents += consents;
      told.late += late;
    },
    seen: () => undefined,
  });
  return { told, run: () => task.run(never) };
}

/** The lines of an export of everything. */
async function exportedLines(organizationId: string, includeGuests: boolean): Promise<number> {
  const all = await world.db.query<{ partition: number; epoch: number; next_offset: string }>(
    `SELECT partition, epoch, next_offset FROM ingest_position WHERE consumer = $1 ORDER BY epoch`,
    [consentRecorderName],
  );
  const ranges = [0, 1].flatMap((partition) => {
    const last = all.filter((each) => each.partition === partition).at(-1);
    if (last === undefined) return [];
    const to = { epoch: last.epoch, offset: BigInt(last.next_offset) };
    return [{ topicId, partition, from: { epoch: 1, offset: 0n }, to }];
  });
  const months = { first: '-infinity', last: 'infinity' };
  const sql = contentOf('consent-events').linesSql({ organizationId, ranges, includeGuests, months });
  const lines = await Promise.all(sql.map((text) => world.db.query(text)));
  return lines.flat().length;
}

describe('recorded consents', () => {
  it.each([1, 7, 50_000])(
    'are counted as they were meant and as they are exported, %i offsets at a time',
    async (limit) => {
      await recordThroughEpochs(new Dice(limit));
      const { told, run } = rollUp(limit);
      await run();
      await run();
      expect(await counted()).toEqual(wanted());
      const sum = Object.values(expected)
        .flat()
        .reduce((all, count) => all + count, 0);
      expect(told).toEqual({ consents: sum, late: 0 });
      for (const organization of organizations) {
        const [row] = await world.db.query<{ consents: number }>(
          `SELECT sum(positive + negative + partial)::int AS consents FROM consent_hourly
         WHERE organization_id = $1 AND regulation = 'gdpr'`,
          [organization],
        );
        expect(row?.consents).toBe(await exportedLines(organization, true));
        const guests = expectedGuests[organization] ?? 0;
        expect((row?.consents ?? 0) - guests).toBe(await exportedLines(organization, false));
        expect(guests).toBeGreaterThan(3);
        expect((row?.consents ?? 0) - guests).toBeGreaterThan(10);
      }
    },
  );

  it('are left to the next call when one took long enough', async () => {
    await world.positions.begin(world.db, { ...key, partition: 0, firstOffset: 0n });
    await record(new Dice(1), 0, 5, new Date(begun));
    const { run } = rollUp(2, { sliceMs: 0 });
    const places: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      await run();
      places.push(...(await world.rows('SELECT next_offset FROM consent_rollup_position')));
    }
    expect(places).toEqual(['2', '4', '6', '8', '8']);
    expect(await counted()).toEqual(wanted());
  });

  it('are told when they are counted in a later hour, since theirs is sealed', async () => {
    await world.positions.begin(world.db, { ...key, partition: 0, firstOffset: 0n });
    await record(new Dice(1), 0, 5, new Date(begun));
    await world.aggregator.transaction((tx) => new OpenHourStore().seal(tx, hourOf(new Date(begun)) + 1));
    await record(new Dice(2), 0, 20, new Date(begun + 3_600_000));
    const { told, run } = rollUp(100);
    await run();
    const [row] = await world.db.query(`SELECT count(*)::int AS late FROM consent_event_revision
      WHERE user_version IS NOT NULL AND arrived_at < to_timestamp(${begun / 1000}) + interval '1 second'`);
    expect(row).toEqual({ late: told.late });
    expect(told.late).toBeGreaterThan(0);
    expect(told.consents).toBeGreaterThan(told.late);
  });

  it('are in their hour though that is sealed before their count is committed', async () => {
    await world.positions.begin(world.db, { ...key, partition: 0, firstOffset: 0n });
    await record(new Dice(1), 0, 5, new Date(begun));
    const [store, open] = [new ConsentRollupStore(), new OpenHourStore()];
    const [partition] = await store.partitions(world.db, consentRecorderName);
    if (partition === undefined) throw new Error('nothing to count');
    const [made, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const counting = world.aggregator.transaction(async (tx) => {
      await store.countNext(tx, partition, 100);
      made.resolve();
      await commit.promise;
    });
    await made.promise;
    const sealing = world.aggregator.transaction((tx) => open.seal(tx, hourOf(new Date(begun)) + 3));
    await world.untilSealingWaits();
    commit.resolve();
    await Promise.all([counting, sealing]);
    expect(await counted()).toEqual(wanted());
  });

  it('are counted once while they come, by several whose connections are killed', async () => {
    const rollUps = [rollUp(3), rollUp(5), rollUp(2)];
    let recording = true;
    let failures = 0;
    const counting = rollUps.map(async ({ run }) => {
      while (recording) await run().catch(() => (failures += 1));
    });
    const killing = (async () => {
      while (recording) {
        await delay(5);
        await world.killOne();
      }
    })();
    await recordThroughEpochs(new Dice(99)).finally(() => (recording = false));
    await Promise.all([...counting, killing]);
    await rollUp(50).run();
    expect(await counted()).toEqual(wanted());
    expect(failures).toBeGreaterThan(0);
  });
});
