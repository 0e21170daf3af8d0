import { consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import { Client } from 'pg';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip } from 'node:zlib';
import { processUsage } from '../../bench/measure';
import type { CreatedExport, Customer } from '../../world';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

/** Whatever the window's size, with as many runs at once as an exporter executes by default. */
const limitMb = 256;

/** Hexadecimal digits, which gzip makes half as long. */
const noise = Array.from({ length: 12 }, (_, k) => `md5((n + ${k})::text)`).join(' || ');

interface Tenant {
  id: string;
  /** Number of its first event. */
  first?: number;
  events: number;
  users: number;
}

interface Scene {
  stage: Stage;
  api: Member;
  /** Where the log ends that the rows seem to come from. */
  end: number;
}

/** The memory of a real exporter, and what an export of an hour reads of a month. */
export const memory: Scenario = {
  name: 'memory',
  row: 'P6',
  does: 'exports 100,000 events, 3 million and one user of a million (short: 600,000 and 300,000), and then one hour more',
  shows: { exports: 0, accounts: 0, done: ['events read back', 'rows read for it'] },
  async run(stage) {
    const [api] = await Promise.all([stage.start('integrations-api'), stage.start('scheduler')]);
    await stopAutovacuum(stage);
    const scene: Scene = { stage, api, end: 0 };
    const small = { id: 'small', events: 100_000, users: 20_000 };
    const large = { id: 'large', events: stage.long ? 3_000_000 : 600_000, users: stage.long ? 600_000 : 120_000 };
    const single = { id: 'single', events: stage.long ? 1_000_000 : 300_000, users: 1 };
    await deliverWithin(scene, [small]);
    const [toLarge] = await deliverWithin(scene, [large, single]);
    if (toLarge !== undefined) await readOneHour(scene, large, toLarge);
  },
};

type Ready = Required<Tenant> & { customer: Customer; exported: CreatedExport };

/** The runs of all tenants at once, by an exporter that does nothing else in its life. */
async function deliverWithin(scene: Scene, tenants: readonly Tenant[]): Promise<Ready[]> {
  const { stage, api } = scene;
  const ready: Ready[] = [];
  for (const tenant of tenants) {
    const first = await seed(scene, tenant);
    const customer = await stage.customer(tenant.id, { api });
    ready.push({ ...tenant, first, customer, exported: await customer.exportToS3() });
  }
  await vacuum(stage);
  const exporter = await stage.start('exporter-s3', { EXPORT_LEASE_SECONDS: '60' });
  const runs = await Promise.all(ready.map(({ customer, exported }) => customer.execute(exported)));
  await Promise.all(ready.map((tenant, n) => expectDelivered(stage, tenant, runs[n] ?? '')));
  const { peakRssMb } = processUsage(exporter.pid);
  await exporter.stop();
  const what = tenants.map(({ events, users }) => `${events} events of ${users} users`).join(' and ');
  stage.did(`MB at most for ${what}`, peakRssMb);
  stage.expect(peakRssMb > 0 && peakRssMb <= limitMb, `the exporter took ${peakRssMb} MB for ${what}`);
  return ready;
}

async function expectDelivered(stage: Stage, ready: Ready, run: string): Promise<void> {
  const { customer, exported, events, users } = ready;
  const { state, result } = await customer.ended(exported, run, 600_000);
  stage.expect(state === 'completed', `the run of ${events} events is ${state}: ${result}`);
  stage.report.runs[state] = (stage.report.runs[state] ?? 0) + 1;
  const found = await readBack(ready, run);
  stage.did('events read back', found.events);
  const wanted = { events, users, again: 0, foreign: 0 };
  stage.expect(
    isDeepStrictEqual(found, wanted),
    `the files hold ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`,
  );
}

/** What a run's files hold: different events and users, and events that come again or are not of the window. */
async function readBack({ exported, first, events, users }: Ready, run: string) {
  const { bucket, id } = exported;
  const seen = { e: new Uint8Array(events), u: new Uint8Array(users) };
  const found = { events: 0, users: 0, again: 0, foreign: 0 };
  const note = (kind: string | undefined, number: number): void => {
    if (kind === 'u') {
      found.users += seen.u[number] === 0 ? 1 : 0;
      seen.u[number] = 1;
    } else if (seen.e[number - first] === undefined) found.foreign += 1;
    else if (seen.e[number - first] === 1) found.again += 1;
    else {
      seen.e[number - first] = 1;
      found.events += 1;
    }
  };
  for (const { key } of await bucket.list(`data/export-id=${id}/`)) {
    if (!key.endsWith('.json.gz') || !key.includes(run)) continue;
    const file = await bucket.read(key);
    await pipeline([file], createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      let begun = '';
      for await (const chunk of chunks) {
        const text = begun + chunk.toString('latin1');
        // No document's beginning is cut in two.
        const end = text.lastIndexOf('{');
        for (const [, kind, number] of text.slice(0, end).matchAll(/"id":"([eu])(\d+)"/g)) note(kind, Number(number));
        begun = text.slice(end);
      }
      for (const [, kind, number] of begun.matchAll(/"id":"([eu])(\d+)"/g)) note(kind, Number(number));
    });
  }
  return found;
}

/** An hour of a month: one part in 720. The export of it may read that much, and not the month. */
async function readOneHour(scene: Scene, large: Tenant, { customer, exported }: Ready): Promise<void> {
  const { stage } = scene;
  const hour = { ...large, events: Math.ceil(large.events / 720), users: 50 };
  const first = await seed(scene, hour);
  const before = await readsSoFar(stage);
  const exporter = await stage.start('exporter-s3');
  await expectDelivered(stage, { ...hour, first, customer, exported }, await customer.execute(exported));
  // Its connections tell what they have read when they end.
  await exporter.stop();
  const after = await readsSoFar(stage);
  const read = {
    sequential: after.sequential - before.sequential,
    rows: after.rows - before.rows,
    blocks: after.blocks - before.blocks,
  };
  stage.did('rows in the hour', hour.events);
  stage.did('rows read for it', read.rows + read.sequential);
  stage.did('blocks read for it', read.blocks);
  // The window is counted and then read, and each user is looked up; neighbours share their blocks.
  stage.expect(read.rows >= hour.events, `only ${read.rows} rows were seen to be read`);
  stage.expect(read.sequential === 0, `${read.sequential} rows were read by scanning a table`);
  stage.expect(read.rows <= 3 * hour.events + 500, `${read.rows} rows were read for an hour of ${hour.events}`);
  stage.expect(read.blocks <= hour.events + 500, `${read.blocks} blocks were read for an hour of ${hour.events}`);
}

interface Reads {
  sequential: number;
  rows: number;
  blocks: number;
}

/** Of the revisions, by everybody who is no longer connected. */
async function readsSoFar({ world }: Stage): Promise<Reads> {
  const [row] = await world.database.query<Record<keyof Reads, string>>(`
    SELECT sum(seq_tup_read) AS sequential, sum(coalesce(idx_tup_fetch, 0)) AS rows,
      sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) AS blocks
    FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)
    WHERE pg_stat_user_tables.relname LIKE 'consent_event_revision%'`);
  return { sequential: Number(row?.sequential), rows: Number(row?.rows), blocks: Number(row?.blocks) };
}

/**
 * Rows as a recorder leaves them, small but many, as if they had come through the first partition of the log.
 * @returns the number of the first
 */
async function seed(scene: Scene, { id, events, users }: Tenant): Promise<number> {
  const { stage, end } = scene;
  const { database } = stage.world;
  const positions = new PositionStore();
  await database.transaction(
    async (tx) => {
      const key = { consumer: consentRecorderName, topic: consentEventsTopic, partition: 0, clusterId: 'seed' };
      await positions.begin(tx, { ...key, firstOffset: 0n });
      const position = await positions.lock(tx, key.consumer, key.topic, key.partition);
      if (position === undefined) throw new Error('no position');
      await tx.query(`
        INSERT INTO consent_event_revision (organization_id, topic_id, partition, epoch, log_offset, month, event_id,
          user_id, regulation, status, event_version, user_version, guest, arrived_at, effective_at, event_document,
          user_document)
        SELECT '${id}', ${position.topicId}, 0, ${position.epoch}, n, date_trunc('month', now() AT TIME ZONE 'UTC')::date,
          'e' || n, 'u' || n % ${users}, 'gdpr', 'confirmed', 1, (n - ${end}) / ${users} + 1, false, now(), now(),
          '{"id":"e' || n || '","noise":"' || ${noise} || '"}',
          '{"id":"u' || n % ${users} || '"}'
        FROM generate_series(${end}, ${end + events - 1}) n`);
      const counted = { recorded: BigInt(events), duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
      await positions.advance(tx, { position, nextOffset: BigInt(end + events), counted });
      // What it took to write them is not told later, among what is read.
      await tx.query('SELECT pg_stat_force_next_flush()');
    },
    { statementTimeoutMs: 0, idleTimeoutMs: 0 },
  );
  scene.end += events;
  stage.did('rows seeded', events);
  return end;
}

/** Postgres would do it by itself at any time, and what it reads for it would be told among what an export reads. */
async function vacuum({ world }: Stage): Promise<void> {
  const client = new Client({ connectionString: world.test.config.url });
  await client.connect();
  await client.query('VACUUM (ANALYZE) consent_event_revision');
  await client.end();
}

async function stopAutovacuum({ world }: Stage): Promise<void> {
  const partitions = await world.database.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'consent_event_revision'::regclass`,
  );
  for (const { name } of partitions)
    await world.database.query(`ALTER TABLE ${name} SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)`);
}
