import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@delivery/platform/testing';
import { workload } from '../../oracle';
import type { ServiceName } from '../../services';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

const minute = 60_000;
const day = 24 * 60 * minute;

/** How far each clock jumps, and back. Sessions live for an hour: who checks them stays within it. */
const jumps: Record<string, readonly number[]> = {
  checksSessions: [45 * minute, -2 * day, 0],
  other: [180 * minute, -2 * day, 0],
};

const apps: readonly { role: string; name: ServiceName; environment: Record<string, string>; jumps: string }[] = [
  { role: 'accept', name: 'consent-ingest', environment: { INGEST_ROLES: 'accept' }, jumps: 'checksSessions' },
  { role: 'record', name: 'consent-ingest', environment: { INGEST_ROLES: 'record' }, jumps: 'other' },
  { role: 'api', name: 'integrations-api', environment: {}, jumps: 'checksSessions' },
  { role: 'scheduler', name: 'scheduler', environment: {}, jumps: 'other' },
  { role: 's3', name: 'exporter-s3', environment: {}, jumps: 'other' },
  { role: 'gcs', name: 'exporter-gcs', environment: {}, jumps: 'other' },
];

/** Loaded before a service: each SIGUSR2 moves its clock to the next of `CLOCK_JUMPS` (milliseconds off), around and around. */
const preload = `
const RealDate = Date;
const jumps = process.env.CLOCK_JUMPS.split(',').map(Number);
let off = 0;
let next = 0;
const now = () => RealDate.now() + off;
globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
RealDate.prototype.constructor = globalThis.Date;
process.on('SIGUSR2', () => {
  off = jumps[next++ % jumps.length];
  process.stderr.write('clock jump ' + next + ': ' + off + ' ms off, it is ' + new Date().toISOString() + '\\n');
});
`;

/** The clock of one host at a time jumps, and producers say that it is 1970 or 2099. */
export const clock: Scenario = {
  name: 'clock',
  row: 'F9',
  does: "lets each app's clock jump hours ahead and days back under load, with events from 1970 and 2099",
  shows: { exports: 4, accounts: 7, done: ['due times by the clock of Postgres'] },
  async run(stage) {
    const folder = mkdtempSync(join(tmpdir(), 'clock-'));
    try {
      writeFileSync(join(folder, 'clock.cjs'), preload);
      await play(stage, join(folder, 'clock.cjs'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function play(stage: Stage, file: string): Promise<void> {
  const started = await Promise.all(
    apps.map(async ({ role, name, environment, jumps: which }) => {
      const clockOf = { NODE_OPTIONS: `--require ${file}`, CLOCK_JUMPS: String(jumps[which]) };
      return { role, app: await stage.start(name, { ...environment, ...clockOf }) };
    }),
  );
  const at = Object.fromEntries(started.map(({ role, app }) => [role, app]));
  const { api, accept } = at;
  if (api === undefined || accept === undefined) throw new Error('api and accept were not started');
  const tenants = [await stage.tenant('first', { api, accept }), await stage.tenant('second', { api, accept })];
  stage.load(tenants);
  const rounds = stage.long ? 20 : 1;
  let step = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { role, app } of stage.shuffled(started)) {
      for (let jump = round * 3 + 1; jump <= round * 3 + 3; jump += 1) {
        await jumpOf(app, jump);
        stage.did(`jumps of ${role}`);
        step += 1;
        await fromOtherTimes(stage, step);
        if (role === 'scheduler') await dueByPostgres(stage, jump);
        await stage.moment(800);
      }
      await stage.account(`the clock of ${role} had jumped`);
    }
  }
  await stage.conclude(tenants);
}

/** Whatever the scheduler's own clock says, what Postgres's calls due is planned, and what is due in an hour is not. */
async function dueByPostgres(stage: Stage, jump: number): Promise<void> {
  const { database } = stage.world;
  const [due, later] = await database.query<{ id: string }>(
    'SELECT integration_id AS id FROM export_schedule ORDER BY integration_id LIMIT 2',
  );
  const move = async (id: string | undefined, by: string) => {
    await database.query(
      `UPDATE export_schedule SET anchor_at = delivery_now() + $2::interval, next_due_at = delivery_now() + $2::interval
       WHERE integration_id = $1`,
      [id, by],
    );
  };
  const planned = async (id: string | undefined) => {
    const [row] = await database.query<{ runs: number }>(
      `SELECT count(*)::int AS runs FROM export_run WHERE integration_id = $1 AND trigger = 'schedule'`,
      [id],
    );
    return row?.runs ?? 0;
  };
  const before = { due: await planned(due?.id), later: await planned(later?.id) };
  await move(later?.id, '1 hour');
  await move(due?.id, '-1 second');
  await waitFor(async () => (await planned(due?.id)) > before.due, {
    describe: `the due run after clock jump ${jump} of the scheduler`,
    timeoutMs: 180_000,
  }).catch(async (error: Error) => {
    const [schedule] = await database.query(
      `SELECT waiting_for, next_due_at, planned_to, delivery_now() AS now FROM export_schedule WHERE integration_id = $1`,
      [due?.id],
    );
    throw new Error(`${error.message}, ${JSON.stringify(schedule)}, the recorder at ${await positionsOf(stage)}`);
  });
  stage.expect((await planned(due?.id)) === before.due + 1, `a run was planned twice after jump ${jump}`);
  stage.expect((await planned(later?.id)) === before.later, `a run was planned an hour early after jump ${jump}`);
  stage.did('due times by the clock of Postgres');
}

async function positionsOf({ world }: Stage): Promise<string> {
  const positions = await world.positions();
  return positions.map(({ partition, nextOffset, status }) => `${partition}: ${nextOffset} ${status}`).join(', ');
}

/** Resolves when the clock stands elsewhere. */
async function jumpOf(app: Member, number: number): Promise<void> {
  app.signal('SIGUSR2');
  await waitFor(async () => app.log.includes(`clock jump ${number}:`), {
    describe: `clock jump ${number}`,
    timeoutMs: 120_000,
  });
}

/** Events of producers that have never heard of the present. */
async function fromOtherTimes(stage: Stage, step: number): Promise<void> {
  const times = ['1970-01-01T00:00:00Z', '2099-12-31T23:59:59.999Z'];
  const seed = stage.report.seed + step * 1_000_003;
  const items = workload({ organization: 'first', users: 40, firstUser: step * 40, messages: 30, seed });
  for (const [n, item] of items.entries())
    if ('event' in item && n % 3 < 2) item.event = { ...item.event, created_at: times[n % 3] };
  await stage.world.publish(items);
  stage.did('events from 1970 and 2099', 20);
}
