import { DestinationError } from '@delivery/destinations/driver';
import { openFileDestination } from '@delivery/destinations/file';
import { waitFor } from '@delivery/platform/testing';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Outgoing, workload } from '../../oracle';
import { type ServiceName, type ServiceProcess, tailOf, unusedPort } from '../../services';
import { type CreatedExport, type Customer, S3Server } from '../../world';
import type { Scenario } from '../scenario';
import { SmallDisk } from '../small-disk';
import type { Stage } from '../stage';

/** A disk that is full, under Postgres and as destination. */
export const disk: Scenario = {
  name: 'disk',
  row: 'F6',
  does: 'fills the disk under the recorded events, and one that is delivered to; both go on when there is room again',
  shows: { exports: 1, accounts: 2, done: ['full disks under the recorder', 'full disks as destination'] },
  lacks: () => SmallDisk.lacks(),
  async run(stage) {
    await fillDestination(stage);
    await fillDatabase(stage);
  },
};

/** Services that are given less memory than their work takes. */
export const heap: Scenario = {
  name: 'heap',
  row: 'F6',
  does: 'gives a recorder and an exporter too little memory: they end and say so, and others do their work',
  shows: { exports: 1, accounts: 1 },
  async run(stage) {
    const { world } = stage;
    const s3 = new S3Server(world);
    const [api] = await Promise.all([stage.start('integrations-api'), stage.start('scheduler')]);
    const customer = await stage.customer('heap', { api });
    const exported = await customer.exportToS3();
    stage.watch(exported);
    await world.publish([...workload({ organization: 'heap', users: 50, messages: 500 }), ...bulky('heap', 600)]);

    const rounds = stage.long ? 10 : 1;
    let published = 600;
    const toRecord: Work = {
      isDone: () => isRecorded(stage),
      again: async () => world.publish(bulky('heap', 600, (published += 600))),
    };
    for (let round = 0; round < rounds; round += 1)
      await outgrow(stage, { name: 'consent-ingest', environment: { INGEST_ROLES: 'record' }, work: toRecord });
    await stage.start('consent-ingest', { INGEST_ROLES: 'record' });
    await world.recorded();
    await stage.account('a recorder without memory');

    let run = await customer.execute(exported);
    const toDeliver: Work = {
      isDone: async () => (await customer.logs(exported, '&status=pending')).length === 0,
      again: async () => {
        await world.publish(bulky('heap', 600, (published += 600)));
        await world.recorded();
        run = await customer.execute(exported);
      },
    };
    const environment = { EXPORT_LEASE_SECONDS: '3', EXPORT_POLL_SECONDS: '1' };
    for (let round = 0; round < rounds; round += 1)
      await outgrow(stage, { name: 'exporter-s3', environment, work: toDeliver });
    await stage.start('exporter-s3');
    const { state, result } = await customer.ended(exported, run, 240_000);
    stage.expect(state === 'completed', `the run of an exporter without memory is ${state}: ${result}`);
    const left = await s3.unfinishedUploads(exported.bucketName);
    stage.expect(left.length === 0, `uploads were left unfinished: ${left.join(', ')}`);
    s3.close();
    await judge(stage, customer, exported);
  },
};

/** Megabytes of heap, less and less: what an app needs grows and shrinks with its packages. */
const heaps = [40, 36, 32, 28];
const patienceMs = 120_000;

/** What a service is to do, and cannot with too little memory. */
interface Work {
  isDone(): Promise<boolean>;
  /** As much again. */
  again(): Promise<unknown>;
}

async function isRecorded({ world }: Stage): Promise<boolean> {
  return world.recorded(0).then(
    () => true,
    () => false,
  );
}

/** Starts a service with less and less memory until it ends for want of it while it has work. */
async function outgrow(
  stage: Stage,
  { name, environment, work }: { name: ServiceName; environment: Record<string, string>; work: Work },
): Promise<void> {
  for (const megabytes of heaps) {
    if (await work.isDone()) await work.again();
    const options = { ...environment, NODE_OPTIONS: `--max-old-space-size=${megabytes}` };
    const service = stage.world.launch(name, options, await unusedPort());
    if (await endsFor(service, 'heap out of memory', work)) {
      stage.did(`${name} ended with a heap of ${megabytes} MB`);
      return;
    }
    await service.kill();
  }
  stage.expect(false, `${name} does its work with a heap of ${heaps.at(-1)} MB`);
}

/** @returns false when it has done its work, or does not get on with it */
async function endsFor(service: ServiceProcess, reason: string, work: Work): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (service.running && Date.now() < deadline && !(await work.isDone())) await delay(500);
  return !service.running && tailOf(service.options.log, 200).includes(reason);
}

async function judge(stage: Stage, customer: Customer, exported: CreatedExport): Promise<void> {
  await customer.deliver(exported);
  await stage.world.locate();
  await stage.judge(customer, exported);
  await stage.ends(customer, exported);
  stage.did('messages', stage.world.ledger.produced.length);
}

/** Events that take some room. */
function bulky(organization: string, count: number, first = 0): Outgoing[] {
  return Array.from({ length: count }, (_, n) => ({
    event: {
      organization_id: organization,
      id: `bulky-${first + n}`,
      source: 'api',
      user: { id: `user-${n % 50}`, organization_user_id: `customer-${n % 50}` },
      metadata: { noise: randomBytes(12_000).toString('base64') },
    },
  }));
}

/** The recorder cannot write any more, waits, and goes on by itself. */
async function fillDatabase(stage: Stage): Promise<void> {
  const { world } = stage;
  const [record, api] = await Promise.all([
    stage.start('consent-ingest', { INGEST_ROLES: 'record', INGEST_STALLED_SECONDS: '2' }),
    stage.start('integrations-api'),
    stage.start('scheduler'),
    stage.start('exporter-s3'),
  ]);
  const customer = await stage.customer('disk', { api });
  const exported = await customer.exportToS3();
  stage.watch(exported);
  await world.publish(workload({ organization: 'disk', users: 50, messages: 300 }));
  await world.recorded();

  const table = await underRevisions(stage, 4);
  try {
    await world.publish([
      ...workload({ organization: 'disk', users: 50, messages: 300, seed: 2 }),
      ...bulky('disk', 500),
    ]);
    const isFull = () => record.log.includes('No space left on device');
    await waitFor(isFull, { describe: 'the recorder to meet a full disk', timeoutMs: 180_000 });
    const unready = async () => !(await fetch(`${record.url}/health/ready`).catch(() => undefined))?.ok;
    await waitFor(unready, { describe: 'the recorder to tell that it cannot record', timeoutMs: 180_000 });
    await stage.account('a full disk under the recorder');
    stage.did('full disks under the recorder');
    await table.disk.enlarge(256);
    await world.recorded();
    await stage.account('room again');
    await judge(stage, customer, exported);
  } finally {
    await table.giveBack();
  }
}

/** Moves the present month's revisions to a small disk. */
async function underRevisions(
  stage: Stage,
  megabytes: number,
): Promise<{ disk: SmallDisk; giveBack(): Promise<void> }> {
  const { database } = stage.world;
  const [found] = await database.query<{ folder: string; month: string }>(
    `SELECT current_setting('data_directory') AS folder, to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM') AS month`,
  );
  const table = `consent_event_revision_${found?.month}`;
  const place = `small_${randomBytes(4).toString('hex')}`;
  const small = await SmallDisk.mount(megabytes, found?.folder ?? '');
  await database.query(`CREATE TABLESPACE ${place} LOCATION '${small.path}'`);
  await database.query(`ALTER TABLE ${table} SET TABLESPACE ${place}`);
  const giveBack = async () => {
    await small.enlarge(256);
    await database.query(`ALTER TABLE ${table} SET TABLESPACE pg_default`);
    // What was moved away is removed by the next checkpoint.
    await database.query('CHECKPOINT');
    await database.query(`DROP TABLESPACE ${place}`);
    await small.unmount();
  };
  return { disk: small, giveBack };
}

/** The folder driver says that there is no room, leaves nothing of the file, and writes it when there is. */
async function fillDestination(stage: Stage): Promise<void> {
  const small = await SmallDisk.mount(4);
  const ballast = join(small.path, 'ballast');
  const { signal } = new AbortController();
  const driver = await openFileDestination({ root: small.path });
  const deliver = async (): Promise<unknown> => {
    const writer = await driver.createObject('data/file', { contentType: 'text/plain', signal });
    try {
      for (let n = 0; n < 30; n += 1) await writer.write(randomBytes(100_000));
      await writer.finish();
      return undefined;
    } catch (error) {
      await writer.abort();
      return error;
    }
  };
  try {
    writeFileSync(ballast, randomBytes(2_000_000));
    const refused = await deliver();
    stage.expect(
      refused instanceof DestinationError && refused.code === 'quota_exceeded' && /Free space/.test(refused.message),
      `a full disk is told as ${String(refused)}`,
    );
    const left = readdirSync(small.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    stage.expect(left.length === 1, `a full disk holds ${left.map(({ name }) => name).join(', ')}`);
    rmSync(ballast);
    const then = await deliver();
    stage.expect(then === undefined, `with room again, the file was refused: ${String(then)}`);
    stage.did('full disks as destination');
  } finally {
    await driver.close();
    await small.unmount();
  }
}
