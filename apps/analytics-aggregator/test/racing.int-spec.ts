import { setTimeout as delay } from 'node:timers/promises';
import {
  hoursName,
  interactionRecorderName,
  interactions,
  interactionsTopic,
  topicSpecs,
} from '@delivery/analytics/schema';
import { ConsentRollupStore } from '@delivery/analytics/store';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';
import { closeOverHours } from '../closing/close-hours';
import { Dice, organizations, randomInteraction } from './random-interactions';
import { recount, type Seen } from './recount';
import { startRecorder } from './recording';
import { openAs, RollupWorld } from './rollup-world';

const count = 4_000;

let kafka: TestKafka;
let world: RollupWorld;

beforeEach(async () => {
  kafka = await testKafka([...topicSpecs(3), ...consentTopics(1)]);
  world = await RollupWorld.open(organizations);
});
afterEach(async () => {
  await kafka.close();
  await world.close();
});

/** Sends interactions, some of them twice. @returns all that was sent, in any order */
async function publishSome(dice: Dice, next: () => string): Promise<Seen[]> {
  const made = Array.from({ length: 100 }, () => {
    const interaction = randomInteraction(dice);
    // Which of two comes first, and on which day, is decided by the race: no two differ in what they have in common.
    const { id, type } = interaction;
    if (type === 'DECISION') return { ...interaction, id: next(), device_id: next() };
    return { ...interaction, ...(id && { id: next() }) };
  });
  const all = [...made, ...made.slice(0, 10)];
  const messages = all.map((interaction, n) => ({ key: `key ${n}`, value: interactions.encode(interaction) }));
  await kafka.connection.publisher().publish(interactionsTopic, messages);
  return all.map((interaction, offset) => ({ interaction, partition: 0, offset, arrivedAt: new Date(0) }));
}

const passed = async (): Promise<bigint> =>
  (await world.positions.readAll(world.db, interactionRecorderName)).reduce((sum, { recorded, ...rest }) => {
    return sum + recorded + rest.duplicates + rest.rejected;
  }, 0n);

/** All that is counted, closed or not, of whatever hour. */
const sums = () =>
  world.rows(`SELECT organization_id, settings_id, domain, platform, device_type, country, regulation,
      sum(pageviews) AS views, sum(notice_displays) AS displays, sum(ui_interactions) AS others
    FROM (SELECT organization_id, settings_id, domain, platform, device_type, country, regulation, pageviews,
        notice_displays, ui_interactions FROM hourly_metric
      UNION ALL SELECT organization_id, settings_id, domain, platform, device_type, country, regulation, pageviews,
        notice_displays, ui_interactions FROM interaction_hourly) counted
    GROUP BY 1, 2, 3, 4, 5, 6, 7`);

/** Devices by what they decided, closed or not. */
const decided = async () => {
  const [row] = await world.db.query<{ decisions: number }>(
    `SELECT ((SELECT coalesce(sum(count), 0) FROM granular_daily)
       + (SELECT count(*) FROM interaction_decision, jsonb_each(services)))::int AS decisions`,
  );
  return row?.decisions;
};

describe('two aggregators that race for everything, whose connections are killed while the clock runs ahead', () => {
  it('lose nothing and count nothing twice, and change nothing that is closed', async () => {
    const recorders = await Promise.all(
      ['one', 'two'].map((groupId) => startRecorder(world.aggregator, kafka.connection, { groupId })),
    );
    const dice = new Dice(5);
    let [running, failures, hours, closings] = [true, 0, 0, 0];
    const closeOnce = async (): Promise<void> => {
      const database = await openAs(world.test, 'delivery_aggregator');
      const deps = {
        log: kafka.connection,
        positions: world.positions,
        consents: new ConsentRollupStore(),
        graceSeconds: 0,
      };
      const work = closeOverHours({ ...deps, database, closed: () => (closings += 1) });
      await work.finally(() => database.close());
    };
    const killing = (async () => {
      while (running) {
        await delay(20 + dice.below(200));
        await world.killOne();
      }
    })();
    const closing = [1, 2].map(async (each) => {
      let before: string[] = [];
      while (running) {
        // Later and later for one of them; connections that are made anew have the clock as it is then.
        if (each === 1) await world.moveClock(`${(hours += 5)} hours`);
        await closeOnce().catch(() => (failures += 1));
        const now = new Set(await world.rows(`SELECT hour, m.* FROM hourly_metric m`));
        expect(before.filter((row) => !now.has(row))).toEqual([]);
        before = [...now];
      }
    });

    const seen: Seen[] = [];
    let names = 0;
    try {
      while (seen.length < count) {
        for (let n = 0; n < 5; n += 1) seen.push(...(await publishSome(dice, () => `n${(names += 1)}`)));
        const before = closings;
        await waitFor(() => closings > before, { describe: 'hours to be closed', timeoutMs: 120_000 });
      }
      const all = async (): Promise<boolean> => (await passed()) >= BigInt(seen.length);
      await waitFor(all, { describe: 'all to be recorded', timeoutMs: 120_000 });
    } finally {
      running = false;
      await Promise.all([...closing, killing, ...recorders.map((recorder) => recorder.stop())]);
    }

    expect(await passed()).toBe(BigInt(seen.length));
    const expected = recount(seen);
    // Without the hour and the sessions, which are counted once an hour, whichever that is.
    const grouped = expected.metrics.flatMap((row) => {
      const [organization = '', , ...rest] = row.split('|');
      const counts = rest.slice(-4).filter((_, n) => n !== 1);
      return counts.every((each) => each === '0') ? [] : [[organization, ...rest.slice(0, -4), ...counts].join('|')];
    });
    expect((await sums()).filter((row) => !row.endsWith('|0|0|0'))).toEqual(grouped.sort());
    const positions = await world.positions.readAll(world.db, interactionRecorderName);
    expect(positions.reduce((sum, { duplicates }) => sum + duplicates, 0n)).toBe(BigInt(expected.duplicates));
    expect(await decided()).toBe(expected.granular.reduce((sum, row) => sum + Number(row.split('|').at(-1)), 0));
    // What was counted into an hour that was closed already would stay for ever.
    const closed = await world.positions.find(world.db, hoursName, hoursName, 0);
    expect(await world.rows(`SELECT * FROM interaction_hourly WHERE hour < ${closed?.nextOffset}`)).toEqual([]);
    expect(await world.rows(`SELECT * FROM interaction_session WHERE hour < ${closed?.nextOffset}`)).toEqual([]);
    expect(failures).toBeGreaterThan(0);
  }, 600_000);
});
