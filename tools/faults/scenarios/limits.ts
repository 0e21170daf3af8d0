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
  lacks: () => (process.getuid?.() === 0 && process.platform === 'linux' ? undefined : 'root on Linux, who may mount'),
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
  async run(stage) {
    const { world } = stage;
    const s3 = new S3Server(world);
    const [api] = await Promise.all([stage.start('integrations-api'), stage.start('scheduler')]);
    const customer = await stage.customer('heap', { api });
    const exported = await customer.exportToS3();
    stage.watch(exported);
    await world.publish([...workload({ organization: 'heap', users: 50, messages: 500 }), ...bulky('heap', 600)]);

    const rounds = stage.long ? 10 : 1;
    for (let round = 0; round < rounds; round += 1) await outgrow(stage, 'consent-ingest', { INGEST_ROLES: 'record' });
    await stage.start('consent-ingest', { INGEST_ROLES: 'record' });
    await world.recorded();
    await stage.account('a recorder without memory');

    const run = await customer.execute(exported);
    for (let round = 0; round < rounds; round += 1)
      await outgrow(stage, 'exporter-s3', { EXPORT_LEASE_SECONDS: '3', EXPORT_POLL_SECONDS: '1' });
    await stage.start('exporter-s3');
    const { state, result } = await customer.ended(exported, run);
    stage.expect(state === 'completed', `the run of an exporter without memory is ${state}: ${result}`);
    const left = await s3.unfinishedUploads(exported.bucketName);
    stage.expect(left.length === 0, `uploads were left unfinished: ${left.join(', ')}`);
    s3.close();
    await judge(stage, customer, exported);
  },
};

/** Megabytes of heap, less and less: what an app needs grows and shrinks with its packages. */
const heaps = [40, 36, 32, 28];
const patienceMs = 8_000;

/** Starts a service with less and less memory until it ends for want of it. */
async function outgrow(stage: Stage, name: ServiceName, environment: Record<string, string>): Promise<void> {
  for (const megabytes of heaps) {
    const options = { ...environment, NODE_OPTIONS: `--max-old-space-size=${megabytes}` };
    const service = stage.world.launch(name, options, await unusedPort());
    if (await endsFor(service, 'heap out of memory')) {
      stage.did(`${name} ended with a heap of ${megabytes} MB`);
      return;
    }
    await service.kill();
  }
  stage.expect(false, `NOT RUN: ${name} does its work with a heap of ${heaps.at(-1)} MB`);
}

async function endsFor(service: ServiceProcess, reason: string): Promise<boolean> {
  const ended = await Promise.race([service.ended, delay(patienceMs)]);
  return ended !== undefined && tailOf(service.options.log, 200).includes(reason);
}

async function judge(stage: Stage, customer: Customer, exported: CreatedExport): Promise<void> {
  await customer.deliver(exported);
  await stage.world.locate();
  await stage.judge(customer, exported);
  await stage.ends(customer, exported);
  stage.did('messages', stage.world.ledger.produced.length);
}

/** Events that take some room. */
function bulky(organization: string, count: number): Outgoing[] {
  return Array.from({ length: count }, (_, n) => ({
    event: {
      organization_id: organization,
      id: `bulky-${n}`,
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
    await waitFor(isFull, { describe: 'the recorder to meet a full disk' });
    const unready = async () => !(await fetch(`${record.url}/health/ready`).catch(() => undefined))?.ok;
    await waitFor(unready, { describe: 'the recorder to tell that it cannot record' });
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
