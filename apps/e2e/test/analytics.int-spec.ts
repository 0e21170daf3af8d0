import { waitFor } from '@delivery/platform/testing';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  type HourCounts,
  interactionSettings,
  interactionsOf,
  publishInteractions,
  recount,
  type WireEvent,
} from '../../../tools/oracle';
import { build, type CreatedExport, Customer, serviceAccountKey, World } from '../../../tools/world';
import {
  compareRows,
  downloadReport,
  interactionsCounted,
  moveClock,
  moveClockPast,
} from '../../../tools/world/reports';

/** `POST /v1/marketplace/integrations`, as the contract's own page has it. */
const S3_REQUEST = `{
    "organization_id": "didomi",
    "type_id": "analytics-exports-s3",
    "authentication": {
        "account_id": "0000000000"
    },
    "properties": {
        "frequency": 1
    },
    "mappings": []
}`;
/** The same, with a whole key and a bucket that exists. */
const gcsRequest = (bucketName: string) => `{
    "organization_id": "didomi",
    "type_id": "analytics-exports-gcp",
    "authentication": {
        "project_id": "didomi-cmp",
        "json_key": ${JSON.stringify(serviceAccountKey())}
    },
    "properties": {
        "frequency": 1,
        "bucket_name": "${bucketName}"
    },
    "mappings": []
}`;
const HOUR = 3600;
const timeoutMs = 180_000;

interface MetricLine extends HourCounts {
  organization_id: string;
  date: string;
  hour: number;
  platform: string | null;
  country: string | null;
  regulation: string | null;
  notice_id: string | null;
  consents_positive: number;
  consents_negative: number;
  consents_partial: number;
}

jest.setTimeout(900_000);

let world: World;
let urls: { api: string; ingest: string; downloads: string };
let broker: { brokers: readonly string[]; topicPrefix: string };

beforeAll(async () => {
  const names = ['consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3', 'exporter-gcs'] as const;
  build(...names, 'analytics-aggregator', 'download-gateway');
  world = await World.open();
  broker = { brokers: world.kafka.config.brokers, topicPrefix: world.prefix };
  const [ingest, api, downloads] = await Promise.all([
    world.start('consent-ingest'),
    world.start('integrations-api'),
    world.start('download-gateway'),
    world.start('analytics-aggregator', { ANALYTICS_CLOSING_SECONDS: '1', REPORT_POLL_SECONDS: '1' }),
    world.start('scheduler', { SCHEDULER_TICK_SECONDS: '1' }),
    world.start('exporter-s3', { EXPORT_POLL_SECONDS: '1' }),
    world.start('exporter-gcs', { EXPORT_POLL_SECONDS: '1' }),
  ]);
  urls = { api: api.url, ingest: ingest.url, downloads: downloads.url };
});
afterAll(() => world?.close());

/** Of `n` modulo 4: all yes, all no, both, and nothing. */
function consent(n: number, id: string): WireEvent {
  const choices = [{ a: true, b: true }, { a: false }, { a: true, b: false }, {}][n % 4] ?? {};
  return {
    organization_id: 'didomi',
    id,
    source: 'sdk-web',
    user: { id: `user-${n % 20}`, last_seen_country: n % 3 === 0 ? 'FR' : 'DE' },
    consents: { purposes: Object.entries(choices).map(([purpose, enabled]) => ({ id: purpose, enabled })) },
  };
}

/** With repetitions, which count once, and pending ones, which do not. */
async function publishConsents(first: number, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => consent(first + n, `c-${first + n}`));
  const pending = events.slice(0, 5).map((event) => ({ ...event, id: `${event.id}-p`, status: 'pending_approval' }));
  await world.publish([...events, ...events.slice(0, 30), ...pending].map((event) => ({ event })));
  await world.recorded();
}

/** Sums of `n` consents by country: what {@link consent} makes, told another way. */
function consentsOf(country: string, count: number): number[] {
  const all = Array.from({ length: count }, (_, n) => n).filter((n) => (n % 3 === 0 ? 'FR' : 'DE') === country);
  const with0 = (...rest: number[]) => all.filter((n) => rest.includes(n % 4)).length;
  return [with0(0), with0(1), with0(2, 3)];
}

async function create(didomi: Customer, request: string): Promise<CreatedExport> {
  const answer = await didomi.send('POST', '/v1/marketplace/integrations', JSON.parse(request));
  expect(answer).toMatchObject({ status: 201, body: { organization_id: 'didomi', mappings: [] } });
  const {
    id,
    type_id: type,
    properties,
  } = answer.body as {
    id: string;
    type_id: string;
    properties: { frequency: number; bucket_name: string };
  };
  const bucketName = properties.bucket_name;
  return { id, bucketName, bucket: type.endsWith('s3') ? didomi.s3(bucketName) : didomi.gcs(bucketName) };
}

/** As a customer's job reads: what is in folders with `_SUCCESS`. */
async function linesOf({ id, bucket }: CreatedExport): Promise<MetricLine[]> {
  const keys = (await bucket.list(`data/export-id=${id}/`)).map(({ key }) => key);
  const form = new RegExp(
    `^data/export-id=${id}/date=\\d{4}-\\d\\d-\\d\\d/cmp_hourly_metrics/[0-9a-f-]+-\\d{6}\\.json\\.gz$`,
  );
  const files = keys.filter((key) => key.endsWith('.json.gz'));
  expect(files.filter((key) => !form.test(key))).toEqual([]);
  const ready = files.filter((key) => keys.includes(`${key.slice(0, key.lastIndexOf('/'))}/_SUCCESS`));
  expect(ready).toEqual(files);
  const texts = await Promise.all(files.map(async (key) => gunzipSync(await bucket.read(key)).toString('utf8')));
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as MetricLine);
}

/** Sums by the values of some fields. */
function sums(
  lines: readonly MetricLine[],
  by: (keyof MetricLine)[],
  of: (keyof MetricLine)[],
): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const line of lines) {
    const counts = of.map((name) => Number(line[name]));
    if (counts.every((count) => count === 0)) continue;
    const before = (found[by.map((name) => line[name]).join()] ??= of.map(() => 0));
    counts.forEach((count, n) => (before[n] = (before[n] ?? 0) + count));
  }
  return found;
}

const interactionCounts = ['pageviews', 'sessions', 'notice_displays', 'ui_interactions'] as const;
const consentCounts = ['consents_positive', 'consents_negative', 'consents_partial'] as const;

async function completedRuns(customer: Customer, exported: CreatedExport, count: number) {
  return waitFor(
    async () => {
      const done = (await customer.logs(exported)).filter(({ status }) => status === 'completed');
      return done.length >= count && done;
    },
    { describe: `${count} runs of ${exported.id}`, timeoutMs },
  );
}

it("the contract's own requests deliver each hour once, the first time 24 hours after they were sent", async () => {
  const didomi = await Customer.signIn(world, await world.organization('didomi'), urls);
  const other = await Customer.signIn(world, await world.organization('other'), urls);
  const bucketName = `e2e-${randomBytes(6).toString('hex')}-cmp-bucket`;
  await didomi.makeGcsBucket(bucketName);
  const began = Date.now();
  const exports = [await create(didomi, S3_REQUEST), await create(didomi, gcsRequest(bucketName))];
  const reports = await analyticsId(didomi);
  const foreign = await analyticsId(other);

  await publishConsents(0, 240);
  await publishInteractions(broker, interactionsOf('didomi', 3000));
  await publishInteractions(broker, interactionsOf('other', 500));
  await interactionsCounted(world.database, broker);
  const expected = await recount(broker, 'didomi');

  const ask = (id: string, key: string, name: string) =>
    fetch(`${urls.downloads}/download/v2/analytics/${id}/${name}`, { headers: { 'x-api-key': key } });
  const early = await ask(reports.id, reports.key, `interaction-${expected.day}`);
  expect([early.status, await early.json()]).toEqual([
    404,
    expect.objectContaining({ available_at: expect.any(String) }),
  ]);

  await moveClockPast(world.database, expected.day);
  for (const aggregation of ['interaction', 'granular'] as const) {
    const name = `${aggregation}-${expected.day}`;
    const asked = { url: urls.downloads, analyticsId: reports.id, name, key: reports.key };
    const compared = compareRows(expected[aggregation], await downloadReport(asked));
    expect(compared).toEqual({ rows: expected[aggregation].size, wrong: 0 });
    expect(compared.rows).toBeGreaterThan(20);
    expect((await ask(reports.id, foreign.key, name)).status).toBe(403);
  }

  await moveClock(world.database, 34 * HOUR);
  for (const exported of exports) {
    const [run] = await completedRuns(didomi, exported, 1);
    expect(run).toMatchObject({ trigger: 'schedule', attempt: 1, metrics: { users: 0 } });
    const due = Date.parse(String(run?.due_at)) - 24 * HOUR * 1000;
    expect(due).toBeGreaterThan(began - 5000);
    expect(due).toBeLessThan(began + 60_000);
    const lines = await linesOf(exported);
    expect(new Set(lines.map(({ organization_id: id }) => id))).toEqual(new Set(['didomi']));
    const counted = sums(lines, ['date', 'hour', 'platform', 'country', 'notice_id'], [...interactionCounts]);
    const wanted = [...expected.hourly].map(([key, counts]) => [key, interactionCounts.map((name) => counts[name])]);
    expect(counted).toEqual(Object.fromEntries(wanted));
    expect(sums(lines, ['country', 'platform', 'regulation'], [...consentCounts])).toEqual({
      'FR,web,gdpr': consentsOf('FR', 240),
      'DE,web,gdpr': consentsOf('DE', 240),
    });
  }

  // What comes now is of the hours that are open now: the next run has it, and nothing of what was delivered.
  await publishConsents(240, 120);
  await publishInteractions(broker, interactionsOf('didomi', 1000, 3000));
  await interactionsCounted(world.database, broker);
  const later = await recount(broker, 'didomi');
  await moveClock(world.database, 58 * HOUR);
  for (const exported of exports) {
    await completedRuns(didomi, exported, 2);
    const lines = await linesOf(exported);
    const total = (counts: readonly HourCounts[], name: keyof HourCounts) =>
      counts.reduce((sum, each) => sum + each[name], 0);
    for (const name of ['pageviews', 'notice_displays', 'ui_interactions'] as const) {
      expect(total(lines, name)).toBe(total([...later.hourly.values()], name));
    }
    expect(sums(lines, ['country'], [...consentCounts])).toEqual({
      FR: consentsOf('FR', 360),
      DE: consentsOf('DE', 360),
    });
    const keys = lines.map((line) =>
      JSON.stringify({ ...line, ...Object.fromEntries(allCounts.map((name) => [name, 0])) }),
    );
    expect(new Set(keys).size).toBe(keys.length);
  }
});

const allCounts = [...interactionCounts, ...consentCounts];

async function analyticsId(customer: Customer): Promise<{ id: string; key: string }> {
  const made = await customer.send('POST', '/v1/analytics/ids', { name: 'e2e', settings_ids: interactionSettings });
  const id = String(made.body['id']);
  const { body } = await customer.send('POST', `/v1/analytics/ids/${id}/keys`, { name: 'e2e' });
  return { id, key: String(body['api_key']) };
}
