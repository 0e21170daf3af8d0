import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { hoursName } from '@delivery/analytics/schema';
import { openFileReader } from '@delivery/destinations/file';
import { layoutOf } from '@delivery/exports/domain';
import { deliveredMetricSchema } from '@delivery/exports/schema';
import { type ExportRun, type IntegrationKey, ReconciliationStore } from '@delivery/exports/store';
import { RewindStore } from '@delivery/ingest/store';
import { workspaceRoot } from '@delivery/platform/testing';
import { DuckDBInstance } from '@duckdb/node-api';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { findDeliveries, HOURS, reconcileIntegration } from '../src';
import { contentOf } from '../src/contents/registry';
import { ExportWorld } from './export-world';
import { type CountedRow, hourOf, MetricHours, startOf } from './metric-hours';
import { workOf } from './query-work';

const validMetric = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false })).compile(
  deliveredMetricSchema,
);

/** 2026-03-01T00:00Z */
const MARCH = hourOf(new Date('2026-03-01T00:00:00Z'));

let world: ExportWorld;
let hours: MetricHours;
let key: IntegrationKey;

beforeAll(async () => {
  world = await ExportWorld.open();
  hours = new MetricHours(world);
});
afterAll(() => world.close());
beforeEach(async () => {
  await hours.begin(MARCH);
  key = await world.newIntegration({}, undefined, 'cmp_hourly_metrics');
});
afterEach(() => world.reset());

const row = (hour: number, more: Partial<CountedRow> = {}) => ({ organization_id: key.organizationId, hour, ...more });

/** Read back without any code of the platform. */
async function textOf(run: ExportRun): Promise<string> {
  const files = [...(await world.bytesOf(run))].filter(([name]) => /\.json\.(gz|zst)$/.test(name));
  return files.map(([name, bytes]) => (name.endsWith('.zst') ? zstdDecompressSync(bytes) : gunzipSync(bytes))).join('');
}

async function linesOf(run: ExportRun) {
  const lines = (await textOf(run)).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { date: string; hour: number; pageviews: number });
}

const viewsOf = async (run: ExportRun) => (await linesOf(run)).map(({ pageviews }) => pageviews);

it('is named as analytics names it', () => {
  expect(HOURS).toBe(hoursName);
});

describe('a run of hourly metrics', () => {
  it('delivers the closed hours of its organization, one line for each combination', async () => {
    const organization = key.organizationId;
    await hours.closeUpTo(MARCH + 26, [
      row(MARCH + 25, { settings_id: 'shop', domain: 'x.org', country: 'FR', pageviews: 3 }),
      row(MARCH + 7, { pageviews: 12 }),
      { ...row(MARCH + 7, { pageviews: 99 }), organization_id: 'other' },
    ]);
    const run = await world.deliver(key);
    const counts = '"sessions":0,"notice_displays":0,"consents_positive":0,"consents_negative":0,"consents_partial":0';
    expect(await textOf(run)).toBe(
      [
        `{"organization_id":"${organization}","date":"2026-03-01","hour":7,"domain":null,"platform":null,` +
          `"device_type":null,"country":null,"regulation":null,"notice_id":null,"pageviews":12,${counts},"ui_interactions":0}\n`,
        `{"organization_id":"${organization}","date":"2026-03-02","hour":1,"domain":"x.org","platform":null,` +
          `"device_type":null,"country":"FR","regulation":null,"notice_id":"shop","pageviews":3,${counts},"ui_interactions":0}\n`,
      ].join(''),
    );
    for (const line of await linesOf(run))
      expect([line, validMetric(line), validMetric.errors]).toEqual([line, true, null]);
    const folder = `data/export-id=${key.integrationId}/date=${run.date}/cmp_hourly_metrics`;
    expect(await world.tree()).toEqual([
      `${folder}/${run.id}-000000.json.gz`,
      `${folder}/_SUCCESS`,
      `${folder}/_manifest-${run.id}.json`,
    ]);
    expect(await world.manifestOf(run)).toMatchObject({
      content: 'cmp_hourly_metrics',
      schema_version: 1,
      window: { from: {}, to: { [HOURS]: { 0: { epoch: 1, offset: String(MARCH + 26) } } } },
      totals: { files: 1, rows: 2, users: 0, events: 2 },
    });
    expect(await world.stored(run)).toMatchObject({ progress: { rows: 2, users: 0, estimated_events: 2 } });
  });

  it('delivers each hour once: what was closed since is in the next run', async () => {
    await hours.closeUpTo(MARCH + 10, [row(MARCH, { pageviews: 1 }), row(MARCH + 9, { pageviews: 2 })]);
    const first = await world.deliver(key);
    await hours.closeUpTo(MARCH + 11, [row(MARCH + 10, { pageviews: 3 })]);
    const second = await world.deliver(key);
    expect([await viewsOf(first), await viewsOf(second)]).toEqual([[1, 2], [3]]);
  });

  it('does not deliver an hour that is closed after it was planned', async () => {
    await hours.closeUpTo(MARCH + 10, [row(MARCH + 9, { pageviews: 1 })]);
    await world.planned(key);
    await hours.closeUpTo(MARCH + 11, [row(MARCH + 10, { pageviews: 2 })]);
    const run = await world.claim();
    await world.execute(run);
    expect(await viewsOf(run)).toEqual([1]);
  });

  it.each(['no hour was counted', 'nothing happened'])('without lines has no file: %s', async (why) => {
    if (why === 'nothing happened') await hours.closeUpTo(MARCH + 24);
    else await world.db.query('DELETE FROM ingest_position WHERE consumer = $1', [HOURS]);
    const run = await world.deliver(key);
    expect(await world.names()).toEqual(['_SUCCESS', `_manifest-${run.id}.json`]);
    expect(await world.stored(run)).toMatchObject({ status: 'completed', progress: { files: 0, rows: 0 } });
  });

  it('writes the same bytes again, in whichever order they lie in the table', async () => {
    const texts = ['b', 'A', 'a', 'é', 'Z', '10', '9', ''];
    const rows = texts.flatMap((domain, n) => [
      row(MARCH + 1, { domain, pageviews: n }),
      row(MARCH, { settings_id: domain, pageviews: n }),
    ]);
    await hours.closeUpTo(MARCH + 2, rows);
    const split = {
      ...(await world.newIntegration({ split: { maxRows: 5 } }, key.organizationId, 'cmp_hourly_metrics')),
    };
    const run = await world.deliver(split);
    expect((await world.manifestOf(run)).files.map((file) => file.rows)).toEqual([5, 5, 5, 1]);
    const domains = (await textOf(run)).match(/(?<="domain":)[^,]+/g)?.slice(8);
    expect(domains).toEqual(['null', '"10"', '"9"', '"A"', '"Z"', '"a"', '"b"', '"é"']);
    const files = async () => [...(await world.bytesOf(run))].filter(([name]) => name.endsWith('.gz'));
    const before = await files();
    await world.db.query('TRUNCATE hourly_metric');
    await hours.closeUpTo(MARCH + 2, rows.toReversed());
    await world.db.query(`UPDATE export_run SET status = 'pending' WHERE id = $1`, [run.id]);
    await world.execute(await world.claim());
    expect(await files()).toEqual(before);
  });

  it('can be compressed with zstd', async () => {
    const layout = layoutOf('cmp_hourly_metrics', 'zstd');
    const packed = await world.newIntegration({ compression: 'zstd', layout }, undefined, 'cmp_hourly_metrics');
    await hours.closeUpTo(MARCH + 1, [{ organization_id: packed.organizationId, hour: MARCH, pageviews: 5 }]);
    const run = await world.deliver(packed);
    expect(await world.names()).toContain(`${run.id}-000000.json.zst`);
    expect(await viewsOf(run)).toEqual([5]);
  });

  it('is read by DuckDB as the README says', async () => {
    const readme = await readFile(join(workspaceRoot(), 'README.md'), 'utf8');
    const sql = /SELECT date, sum\(notice_displays\)[^`]*;/.exec(readme)?.[0] ?? '';
    const counts = [
      { notice_displays: 2, consents_positive: 1 },
      { notice_displays: 5, consents_positive: 3 },
    ];
    await hours.closeUpTo(
      MARCH + 26,
      counts.map((each, n) => row(MARCH + n * 25, each)),
    );
    await world.deliver(key);
    const connection = await (await DuckDBInstance.create()).connect();
    const found = await connection.runAndReadAll(`${sql.replace(`'data/`, `'${world.bucket}/data/`)}`);
    connection.closeSync();
    expect(found.getRowObjectsJson().sort((a, b) => String(a['date']).localeCompare(String(b['date'])))).toEqual([
      { date: '2026-03-01', shown: '2', agreed: '1' },
      { date: '2026-03-02', shown: '5', agreed: '3' },
    ]);
  });

  it('is repeated later when the database it reads from has not closed the window', async () => {
    await hours.closeUpTo(MARCH + 10);
    const replica = await world.positions.readAll(world.db, HOURS);
    await hours.closeUpTo(MARCH + 12, [row(MARCH + 11)]);
    await world.planned(key);
    const run = await world.claim();
    const positions = { readAll: async () => replica, isHeld: async () => false };
    expect(await world.execute(run, { positions })).toBe('retrying');
    expect(await world.stored(run)).toMatchObject({
      resultCode: 'snapshot_behind',
      resultMessage:
        'The database that exports read from has not reached the end of the window yet: ' +
        'the hours up to 2026-03-01T12:00Z are not complete in it.',
    });
  });
});

describe('a due run of hourly metrics', () => {
  /** Due an hour ago: hours are closed up to long before. */
  async function due(): Promise<number> {
    await world.db.query(
      `UPDATE export_schedule SET anchor_at = anchor_at - interval '25 hours', next_due_at = next_due_at - interval '25 hours'`,
    );
    const schedule = await world.schedules.find(world.db, key);
    if (schedule?.nextDueAt === undefined) throw new Error('not due');
    return hourOf(schedule.nextDueAt);
  }
  const runOf = async () => {
    const run = await world.claim();
    return { waited: run.trigger, completeUntil: run.completeUntil, to: run.window.to[HOURS]?.[0]?.offset };
  };

  it('waits, in words, until the hours before its due time are closed', async () => {
    const hour = await due();
    const waitingFor = `the hours up to ${startOf(hour).toISOString().slice(0, 16)}Z are not complete yet`;
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'waiting', waitingFor });
    await hours.closeUpTo(hour - 1);
    expect(await world.plan(key, 'schedule')).toEqual({ outcome: 'waiting', waitingFor });
    expect(await world.schedules.find(world.db, key)).toMatchObject({ waitingFor });
    await hours.closeUpTo(hour);
    expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
    expect(await runOf()).toEqual({ waited: 'schedule', completeUntil: startOf(hour), to: BigInt(hour) });
  });

  it('waits for no recorder and no broker: hours say all', async () => {
    const hour = await due();
    await hours.closeUpTo(hour);
    world.logEnds = new Map([[3, 1205n]]);
    const offsetsAt = () => Promise.reject(new Error('nobody asks the log'));
    expect(await world.plan(key, 'schedule', { log: { clusterId: offsetsAt, offsetsAt } })).toMatchObject({
      outcome: 'planned',
    });
  });

  it('does not wait for ever, and says how far it is complete', async () => {
    const hour = await due();
    await hours.closeUpTo(hour - 5);
    expect(await world.plan(key, 'schedule', { maxWaitSeconds: 0 })).toMatchObject({ outcome: 'waiting' });
    expect(await world.plan(key, 'schedule', { maxWaitSeconds: 0 })).toMatchObject({ outcome: 'planned' });
    expect(await runOf()).toMatchObject({ completeUntil: startOf(hour - 5), to: BigInt(hour - 5) });
  });

  it('does not say how far it is complete when nothing was counted', async () => {
    await world.db.query('DELETE FROM ingest_position WHERE consumer = $1', [HOURS]);
    await world.planned(key);
    expect(await runOf()).toEqual({ waited: 'manual', completeUntil: undefined, to: undefined });
  });

  it.each(['consent', 'analytics'])(
    'waits in a database that went back, by the recorder %s, as consents do',
    async (consumer) => {
      const consents = await world.newIntegration();
      const hour = await due();
      await hours.closeUpTo(hour, [row(hour - 1)]);
      await world.planned(key);
      const place = { topic: HOURS, partition: 0, epoch: 1, nextOffset: 1_000_000n };
      const rewinds = new RewindStore();
      await rewinds.notice(world.db, consumer, [place]);
      for (const each of [key, consents]) {
        const outcome = await world.plan(each, 'schedule', { maxWaitSeconds: 0 });
        expect(outcome).toEqual({ outcome: 'waiting', waitingFor: expect.stringContaining('deliveries reconcile') });
      }
      expect(await world.execute(await world.claim())).toBe('retrying');
      await world.db.transaction((tx) => rewinds.settle(tx, consumer, [place], []));
      expect(await world.plan(key, 'schedule')).toMatchObject({ outcome: 'planned' });
      await world.db.query('DELETE FROM ingest_rewind');
    },
  );
});

it('what a database that went back does not know is taken over from the bucket', async () => {
  await hours.closeUpTo(MARCH + 10, [row(MARCH + 9, { pageviews: 1 })]);
  const run = await world.deliver(key);
  await world.db.query('TRUNCATE export_run');
  await world.db.query(`UPDATE export_schedule SET planned_to = '{}', planned_to_at = NULL, planned_runs = 0,
    last_run_id = NULL, last_manifest_sha256 = NULL`);
  const reader = await openFileReader({ root: world.bucket });
  const find = { reader, verifySignature: () => 'valid' as const, signal: new AbortController().signal };
  const found = await findDeliveries(find, key, `data/export-id=${key.integrationId}/`);
  const stores = { schedules: world.schedules, runs: world.runs, reconciliations: new ReconciliationStore() };
  const settings = { readSettings: async () => ({ includeGuests: false }), dryRun: false };
  const answer = await reconcileIntegration({ database: world.db, ...stores, ...settings }, key, found);
  expect(answer?.lacking).toMatchObject([{ kind: 'delivered', found: { manifest: { run: run.id } } }]);
  await hours.closeUpTo(MARCH + 11, [row(MARCH + 10, { pageviews: 2 })]);
  expect(await viewsOf(await world.deliver(key))).toEqual([2]);
});

describe('a day out of a year', () => {
  const YEAR = 365 * 24;
  const first = MARCH + 200 * 24;
  const content = contentOf('cmp_hourly_metrics');

  // Two organizations with five combinations an hour: nothing but the key tells the window from the rest.
  beforeEach(async () => {
    await world.db.query(
      `INSERT INTO hourly_metric SELECT o, ${MARCH} + h, 's' || d, '', '', '', '', '', h, 0, 0, 0, 0, 0, 0
       FROM unnest('{acme,bolt}'::text[]) o, generate_series(0, ${YEAR - 1}) h, generate_series(1, 5) d`,
    );
  });

  it.each(['without statistics', 'with statistics'])('reads that day, %s', async (statistics) => {
    if (statistics === 'with statistics') await world.db.query('ANALYZE hourly_metric');
    const range = {
      topicId: 4,
      partition: 0,
      from: { epoch: 1, offset: BigInt(first) },
      to: { epoch: 1, offset: BigInt(first + 24) },
    };
    const window = { organizationId: 'acme', ranges: [range], includeGuests: false };
    const survey = content.surveySql(window);
    const [found] = await world.db.query(survey);
    expect(found).toEqual({ events: '120', first_month: '2026-09-01', last_month: '2026-09-01' });
    const [lines = '', ...more] = content.linesSql({ ...window, months: { first: '2026-09-01', last: '2026-09-01' } });
    expect(more).toEqual([]);
    for (const sql of [survey, lines]) {
      const work = await workOf(world.db, sql);
      expect(work).toMatchObject({ tables: ['hourly_metric'], rows: 120, filtered: 0, sequential: [] });
      expect(work.blocks).toBeLessThan(40);
    }
  });
});
