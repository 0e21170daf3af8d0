import { waitFor } from '@delivery/platform/testing';
import { interactionSettings, interactionsOf, publishInteractions, recount, type Recount } from '../../oracle';
import type { Customer } from '../../world';
import { compareRows, downloadReport, interactionsCounted, moveClockPast } from '../../world/reports';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Downloads } from './downloads';

const id = 'counted';
const perRound = 400;

/** Two aggregators and two gateways, and whatever can be taken from them while they work. */
export const analytics: Scenario = {
  name: 'analytics',
  row: 'F1, F2, F3, F7',
  does: 'kills aggregators and gateways, stops broker and database: counts and reports stay exact',
  shows: { exports: 0, accounts: 0, done: ['interactions', 'seconds of outage', 'reports downloaded'] },
  async run(stage) {
    const { world } = stage;
    const folder = await mkdtemp(join(tmpdir(), 'fault-reports-'));
    const store = { REPORT_STORE_DIR: folder };
    const [ingest, api, first, second] = await Promise.all([
      stage.start('consent-ingest', { INGEST_ROLES: 'record' }),
      stage.start('integrations-api'),
      stage.start('analytics-aggregator', { ...restless, ...store }),
      stage.start('analytics-aggregator', { ...restless, ...store }),
      stage.start('scheduler'),
    ]);
    const gateways = [
      await stage.start('download-gateway', store),
      await stage.start('download-gateway', store),
    ] as const;
    const customer = await stage.customer(id, { api });
    const { analyticsId, key } = await reportsOf(customer);
    const downloads = await Downloads.open(stage, await stage.customer('large', { api }), folder);
    const broker = { brokers: world.kafka.config.brokers, topicPrefix: world.prefix };
    const publishing = publishSlowly(stage, broker);
    await breakThings(stage, [first, second], gateways, downloads);
    await publishing;
    await interactionsCounted(world.database, broker);
    const expected = await recount(broker, id);
    await expectCounters(stage, expected);
    await moveClockPast(world.database, expected.day);
    // Reports are made now: whoever makes them is killed, and the other goes on.
    for (const aggregator of [first, second]) {
      await stage.moment(3000);
      await aggregator.kill().then(() => aggregator.start());
      stage.did('kills of aggregators');
    }
    for (const aggregation of ['interaction', 'granular'] as const) {
      const name = `${aggregation}-${expected.day}`;
      const download = async (gateway: Member) => {
        const files = await downloadReport({ url: gateway.url, analyticsId, name, key });
        const { rows, wrong } = compareRows(expected[aggregation], files);
        stage.did('reports downloaded');
        stage.expect(rows > 0 && wrong === 0, `${name}: ${wrong} of ${rows} rows differ from the recount`);
        return rows;
      };
      stage.did(`rows of ${aggregation} reports`, await download(gateways[1]));
      await killGateways(stage, gateways, download, downloads);
    }
    await downloads.compareLog();
    await ingest.kill();
    await rm(folder, { recursive: true, force: true });
  },
};

const restless = {
  INGEST_BATCH_SIZE: '50',
  ANALYTICS_CLOSING_SECONDS: '1',
  REPORT_LEASE_SECONDS: '3',
  REPORT_POLL_SECONDS: '1',
};

async function reportsOf(customer: Customer): Promise<{ analyticsId: string; key: string }> {
  const wish = { name: 'faults', settings_ids: interactionSettings };
  const analyticsId = String((await customer.send('POST', '/v1/analytics/ids', wish)).body['id']);
  const made = await customer.send('POST', `/v1/analytics/ids/${analyticsId}/keys`, { name: 'faults' });
  return { analyticsId, key: String(made.body['api_key']) };
}

/** What could not be sent is sent again, so that some of it is in the log twice: the recount reads the log. */
async function publishSlowly(stage: Stage, broker: Parameters<typeof publishInteractions>[0]): Promise<void> {
  const rounds = stage.long ? 200 : 20;
  for (let round = 0; round < rounds; round += 1) {
    const some = interactionsOf(id, perRound, round * perRound);
    const sent = () => publishInteractions(broker, some).then(() => true);
    await waitFor(sent, { describe: 'the broker to take interactions', timeoutMs: 180_000 });
    stage.did('interactions', some.length);
    await delay(300);
  }
}

async function breakThings(
  stage: Stage,
  aggregators: readonly Member[],
  gateways: readonly Member[],
  downloads: Downloads,
): Promise<void> {
  const { servers } = stage;
  const seconds = stage.long ? 30 : 3;
  for (let round = 0; round < (stage.long ? 10 : 1); round += 1) {
    for (let kills = 0; kills < (stage.long ? 3 : 1); kills += 1)
      for (const aggregator of aggregators) {
        await stage.moment(1500);
        await aggregator.kill().then(() => aggregator.start());
        stage.did('kills of aggregators');
      }
    await stage.moment(1000);
    await servers.stop('postgres');
    await downloads.during(seconds, gateways, 503);
    await servers.start();
    await downloads.recover(gateways);
    await stage.moment(1000);
    await servers.stop('kafka');
    // Reports that are there are nothing of the broker's.
    await downloads.during(seconds, gateways, 200);
    await servers.start();
    stage.did('seconds of outage', 2 * seconds);
  }
}

/** A gateway is killed while it answers: a download that ends well is exact, and the other one has the report meanwhile. */
async function killGateways(
  stage: Stage,
  [first, second]: readonly [Member, Member],
  download: (gateway: Member) => Promise<unknown>,
  downloads: Downloads,
): Promise<void> {
  for (let round = 0; round < (stage.long ? 25 : 1); round += 1) {
    const [dying, other] = round % 2 === 0 ? [first, second] : [second, first];
    const cut = download(dying).catch(() => stage.did('requests cut'));
    await stage.moment(100);
    await downloads.cutOff(dying);
    stage.did('kills of gateways');
    await download(other);
    await downloads.complete(other);
    await dying.start();
    await cut;
  }
}

/** Rule 9: every interaction of the log is in exactly one counter. */
async function expectCounters(stage: Stage, { counted, duplicates, rejected }: Recount): Promise<void> {
  const [row] = await stage.world.database.query<{ counted: number; duplicates: number; rejected: number }>(
    `SELECT sum(recorded)::int AS counted, sum(duplicates)::int AS duplicates, sum(rejected)::int AS rejected
     FROM ingest_position WHERE consumer = 'analytics'`,
  );
  const same = row?.counted === counted && row.duplicates === duplicates && row.rejected === rejected;
  stage.expect(
    same,
    `counters are ${JSON.stringify(row)}, the log has ${JSON.stringify({ counted, duplicates, rejected })}`,
  );
}
