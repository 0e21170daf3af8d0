import { type FaultProxy, startFaultProxy } from '@delivery/destinations/testing';
import { randomBytes } from 'node:crypto';
import { type Outgoing, workload } from '../../oracle';
import { type CreatedExport, type Customer, type RunLog, S3Server } from '../../world';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { isPart, isWrite, overloaded, passing, refusals, wrongETag } from './store-faults';

/** One kind of store behind a proxy that fails on purpose, and an export to it. */
interface Failing {
  kind: 's3' | 'gcs';
  proxy: FaultProxy;
  exporter: Member;
  exported: CreatedExport;
  /** How many requests have failed at random: the next fails in the next way. */
  failed: number;
}

interface Scene {
  customer: Customer;
  failing: Failing[];
  /** What the store itself says. */
  s3: S3Server;
}

/** So that runs meet the end of time limits within a test, and give up what does not end soon. */
const impatient = { S3_REQUEST_SECONDS: '2', GCS_REQUEST_SECONDS: '2', EXPORT_RETRY_CAP_SECONDS: '2' };

/** Whole runs against stores that fail at any request, and for a while at all of them. */
export const stores: Scenario = {
  name: 'stores',
  row: 'F4',
  does: 'lets requests to S3 and Cloud Storage fail at random in every way that passes, then all of them for a while',
  shows: { exports: 2, accounts: 4, done: ['s3: outages', 'gcs: outages'] },
  run: (stage) =>
    onScene(stage, async (scene) => {
      const rounds = stage.long ? 40 : 2;
      let round = 0;
      // The long form goes on until each fault was met, for twice as long at most.
      for (; round < rounds || (stage.long && round < 2 * rounds && unmet(stage).length > 0); round += 1) {
        // Now and then more than one part, so that there are uploads to be left behind.
        const bulk = round % 4 === 0 ? bulky(scene.customer.id, 700, round) : [];
        await record(stage, scene, round, bulk);
        const split = bulk.length > 0 ? '{"max_rows": null}' : '{"max_rows": 5}';
        await stage.world.database.query(`UPDATE export_schedule SET spec = jsonb_strip_nulls(spec || '${split}')`);
        await Promise.all(scene.failing.map((each) => deliverAmidFaults(stage, scene, each)));
      }
      stage.did('kinds of faults met', kindsOfFaults.length - unmet(stage).length);
      stage.expect(!stage.long || unmet(stage).length === 0, `never met: ${unmet(stage).join(', ')}`);
      await record(stage, scene, round);
      await Promise.all(scene.failing.map((each) => outliveOutage(stage, scene, each)));
    }),
};

const wrongETags = 's3: wrong ETag';
const kindsOfFaults = [
  wrongETags,
  ...(['s3', 'gcs'] as const).flatMap((kind) => passing[kind].map(({ name }) => `${kind}: ${name}`)),
];

/** The faults that no request has met yet. */
function unmet({ report }: Stage): string[] {
  return kindsOfFaults.filter((name) => !report.done[name]);
}

/** What somebody has to change is asked for once, and told. */
export const refused: Scenario = {
  name: 'refused',
  row: 'F5',
  does: 'lets S3 and Cloud Storage refuse: each run fails at the first refusal, says what to change, and is retried then',
  shows: { exports: 2, accounts: 2 },
  run: (stage) =>
    onScene(stage, async (scene) => {
      const rounds = stage.long ? 5 : 1;
      for (let round = 0; round < rounds; round += 1) {
        await record(stage, scene, round);
        await Promise.all(scene.failing.map((each) => meetRefusals(stage, scene, each)));
      }
    }),
};

async function onScene(stage: Stage, play: (scene: Scene) => Promise<void>): Promise<void> {
  const { environment } = stage.world;
  const proxies = {
    s3: await startFaultProxy(environment['S3_ENDPOINT'] ?? ''),
    gcs: await startFaultProxy(environment['GCS_ENDPOINT'] ?? ''),
  };
  const s3 = new S3Server(stage.world);
  try {
    const [, api, ofS3, ofGcs] = await Promise.all([
      stage.start('consent-ingest', { INGEST_ROLES: 'record' }),
      stage.start('integrations-api'),
      stage.start('exporter-s3', { ...impatient, S3_ENDPOINT: proxies.s3.endpoint }),
      stage.start('exporter-gcs', { ...impatient, GCS_ENDPOINT: proxies.gcs.endpoint }),
      stage.start('scheduler'),
    ]);
    const customer = await stage.customer('stores', { api });
    const exports = [
      await customer.exportToS3(),
      await customer.exportToGcs(`stores-${stage.world.prefix.slice(0, -1)}`),
    ];
    for (const exported of exports) stage.watch(exported);
    const [toS3, toGcs] = exports;
    if (toS3 === undefined || toGcs === undefined) throw new Error('no exports');
    const failing: Failing[] = [
      { kind: 's3', proxy: proxies.s3, exporter: ofS3, exported: toS3, failed: 0 },
      { kind: 'gcs', proxy: proxies.gcs, exporter: ofGcs, exported: toGcs, failed: 0 },
    ];
    const scene = { customer, failing, s3 };
    await play(scene);
    await conclude(stage, scene);
  } finally {
    s3.close();
    await Promise.all([proxies.s3.close(), proxies.gcs.close()]);
  }
}

async function record(stage: Stage, { customer }: Scene, round: number, more: readonly Outgoing[] = []): Promise<void> {
  const seed = stage.report.seed * 1009 + round;
  await stage.world.publish([...workload({ organization: customer.id, users: 40, messages: 200, seed }), ...more]);
  await stage.world.recorded();
  await stage.account(`round ${round + 1}`);
}

/** Events that gzip cannot make small: a few hundred are more than one part of an upload. */
function bulky(organization: string, count: number, round: number): Outgoing[] {
  return Array.from({ length: count }, (_, n) => ({
    event: {
      organization_id: organization,
      id: `bulky-${round}-${n}`,
      source: 'api',
      user: { id: `user-${n % 50}`, organization_user_id: `customer-${n % 50}` },
      metadata: { noise: randomBytes(12_000).toString('base64') },
    },
  }));
}

/** A local Cloud Storage takes a chunk that is sent again for another: a lost answer costs it the whole attempt. */
const chance = { s3: 0.3, gcs: 0.12 };

/** Many requests fail, each time in another way; the run is delivered all the same. */
async function deliverAmidFaults(stage: Stage, { customer }: Scene, failing: Failing): Promise<void> {
  const { kind, proxy, exported } = failing;
  const faults = passing[kind];
  let chosen: number | undefined;
  let asked = 0;
  const choose = (): void => {
    // At random, and the second in any case.
    const fails = stage.random() < chance[kind] || (asked += 1) === 2;
    chosen = fails ? failing.failed++ % faults.length : undefined;
    const name = faults[chosen ?? -1]?.name;
    if (name !== undefined) stage.did(`${kind}: ${name}`);
  };
  proxy.inject(
    { fault: wrongETag, times: 1, matches: (request) => isPart(request) && (stage.did(wrongETags), true) },
    ...faults.map(({ fault }, n) => ({
      fault,
      times: Infinity,
      // The rules are asked in order: the first chooses for all.
      matches: () => (n === 0 ? choose() : undefined, chosen === n),
    })),
  );
  const log = await customer.ended(exported, await customer.execute(exported), 300_000);
  proxy.release();
  stage.expect(log.status === 'completed', `a run amid passing faults of ${kind} ended as ${log.state}: ${log.result}`);
}

/** After its tries the run waits with a sentence, asks no more meanwhile, and is delivered once the store is back. */
async function outliveOutage(stage: Stage, { customer }: Scene, { kind, proxy, exported }: Failing): Promise<void> {
  proxy.inject({ fault: overloaded[kind], times: Infinity, matches: isWrite });
  const before = proxy.log.length;
  const run = await customer.execute(exported);
  const waiting = await customer.runThat(exported, run, isWaiting, 'to wait for its retry', 240_000);
  stage.expect(
    /throttled.*tried again later/.test(waiting.result_message ?? waiting.result ?? ''),
    `a run that ${kind} throttles waits and says: ${waiting.result_message ?? waiting.result}`,
  );
  const same = mostAlike(proxy.log.slice(before));
  // Asked afterwards: all that was counted is of these attempts.
  const { attempt } = await customer.runThat(exported, run, () => true, 'to be told');
  stage.expect(
    same >= triesOfRequest && same <= triesOfRequest * attempt,
    `${kind} was asked the same ${same} times by ${attempt} attempts`,
  );
  proxy.release();
  const log = await customer.ended(exported, run, 240_000);
  stage.expect(log.status === 'completed' && log.attempt > 1, `after the outage of ${kind} the run is ${log.state}`);
  stage.did(`${kind}: outages`);
}

const triesOfRequest = 6;

const isWaiting = ({ state, attempt }: RunLog): boolean => state === 'retrying' && attempt >= 1;

async function meetRefusals(stage: Stage, { customer }: Scene, { kind, proxy, exported }: Failing): Promise<void> {
  for (const { name, fault, tells } of refusals[kind]) {
    proxy.inject({ fault, times: Infinity, matches: isWrite });
    const before = proxy.log.length;
    const run = await customer.execute(exported);
    const failed = await customer.ended(exported, run);
    const told = failed.result ?? '';
    stage.expect(
      failed.status === 'failed' && tells.test(told),
      `a run that ${kind} refused (${name}) is ${failed.state} and says: ${told}`,
    );
    const writes = proxy.log.slice(before).filter((line) => /^(PUT|POST) /.test(line));
    // What was refused, and at most the attempt to leave the day as it was.
    const blind = mostAlike(writes) > 1 || writes.length > 2;
    stage.expect(!blind, `${kind} refused (${name}) and was asked again: ${writes.join(', ')}`);
    proxy.release();
    // Whatever was to be changed is changed now.
    await customer.send('POST', `/v1/marketplace/integrations/${exported.id}/runs/${run}/retry`);
    const retried = await customer.ended(exported, run);
    stage.expect(
      retried.status === 'completed',
      `the retry after ${kind} ${name} is ${retried.state}: ${retried.result}`,
    );
    stage.did(`${kind}: ${name}`);
  }
}

async function conclude(stage: Stage, { customer, failing, s3 }: Scene): Promise<void> {
  await stage.account('the last fault, at the end of the log');
  for (const { kind, exporter, exported } of failing) {
    await customer.settled(exported, 240_000);
    await customer.deliver(exported);
    await stage.judge(customer, exported);
    await stage.ends(customer, exported);
    stage.did(`${kind}: requests sent again`, await retriesOf(exporter));
    if (kind === 'gcs') continue;
    const left = await s3.unfinishedUploads(exported.bucketName);
    stage.expect(left.length === 0, `uploads were left unfinished: ${left.join(', ')}`);
  }
  stage.did('messages', stage.world.ledger.produced.length);
}

/** From the exporter's own metrics. */
async function retriesOf(exporter: Member): Promise<number> {
  const text = await (await fetch(`${exporter.url}/metrics`)).text();
  const found = [...text.matchAll(/^destination_retries_total\{[^}]*\} (\d+)/gm)];
  return found.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** How often the request was sent that was sent most often. */
function mostAlike(requests: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const request of requests) counts.set(request, (counts.get(request) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
