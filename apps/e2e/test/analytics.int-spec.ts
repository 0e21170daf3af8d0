import { formatReportPrefix, periodOf } from '@delivery/analytics/domain';
import { interactionsTopic } from '@delivery/analytics/schema';
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
import { verifyDelivery } from '../../../tools/demo/verify-delivery';
import { compareRows, downloadReport, interactionsCounted, moveClock } from '../../../tools/world/reports';

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
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
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
let urls: { api: string; ingest: string; downloads: string; scheduler: string };
let broker: { brokers: readonly string[]; topicPrefix: string };

beforeAll(async () => {
  const names = ['consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3', 'exporter-gcs'] as const;
  build(...names, 'analytics-aggregator', 'download-gateway');
  world = await World.open();
  broker = { brokers: world.kafka.config.brokers, topicPrefix: world.prefix };
  const [ingest, api, downloads, scheduler] = await Promise.all([
    world.start('consent-ingest'),
    world.start('integrations-api'),
    world.start('download-gateway'),
    world.start('scheduler', { SCHEDULER_TICK_SECONDS: '1' }),
    world.start('analytics-aggregator', { ANALYTICS_CLOSING_SECONDS: '1', REPORT_POLL_SECONDS: '1' }),
    world.start('exporter-s3', { EXPORT_POLL_SECONDS: '1' }),
    world.start('exporter-gcs', { EXPORT_POLL_SECONDS: '1' }),
  ]);
  urls = { api: api.url, ingest: ingest.url, downloads: downloads.url, scheduler: scheduler.url };
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
  const sent = JSON.parse(request) as SeedRequest;
  const answer = await didomi.send('POST', '/v1/marketplace/integrations', sent);
  const s3 = sent.type_id.endsWith('s3');
  // What was asked for, without the key, and what was made for it.
  const { json_key: key, ...authentication } = sent.authentication;
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    ...sent,
    id: expect.stringMatching(/^[0-9a-z]{10}$/),
    authentication: {
      ...authentication,
      ...(key !== undefined && { client_email: (JSON.parse(key) as { client_email: string }).client_email }),
    },
    properties: {
      ...sent.properties,
      bucket_name: s3 ? expect.stringMatching(/^consent-exports-didomi-/) : sent.properties.bucket_name,
      ...(s3 && {
        bucket_access_role_arn: expect.stringMatching(/^arn:aws:iam::\d{12}:role\/consent-exports-didomi-.*-role$/),
      }),
    },
    ...{ enabled: true, status: 'active', created_at: time, updated_at: time },
    warnings: s3 ? expect.arrayContaining([expect.stringContaining("'000000000000'")]) : expect.any(Array),
  });
  const id = String(answer.body['id']);
  const bucketName = (answer.body['properties'] as SeedRequest['properties']).bucket_name;
  return { id, bucketName, bucket: s3 ? didomi.s3(bucketName) : didomi.gcs(bucketName) };
}

interface SeedRequest {
  type_id: string;
  authentication: { json_key?: string };
  properties: { bucket_name: string };
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
  await sendOverRest(didomi);
  await publishAnywhere();
  await interactionsCounted(world.database, broker);
  const expected = await recount(broker, 'didomi');

  const ask = (id: string, key: string, name: string) =>
    fetch(`${urls.downloads}/download/v2/analytics/${id}/${name}`, { headers: { 'x-api-key': key } });
  const early = await ask(reports.id, reports.key, `interaction-${expected.day}`);
  expect([early.status, await early.json()]).toEqual([
    404,
    expect.objectContaining({ available_at: expect.any(String) }),
  ]);

  await moveTo(began + DAY - 5 * 60_000);
  await schedulerHasLooked();
  for (const exported of exports) {
    expect(await didomi.logs(exported)).toEqual([]);
    expect(await exported.bucket.list('')).toEqual([]);
  }

  await moveTo(began + DAY + 5 * 60_000);
  for (const exported of exports) {
    const [run] = await completedRuns(didomi, exported, 1);
    expect(run).toMatchObject({ trigger: 'schedule', attempt: 1, metrics: { users: 0 } });
    const due = Date.parse(String(run?.due_at)) - DAY;
    expect(due).toBeGreaterThan(began - 5000);
    expect(due).toBeLessThan(began + 60_000);
    await verify(exported);
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

  await moveTo(Date.parse(expected.day) + DAY + 8 * HOUR + 60_000);
  await compareReports(reports, 'daily', expected);
  for (const aggregation of ['interaction', 'granular'] as const) {
    expect((await ask(reports.id, foreign.key, `${aggregation}-${expected.day}`)).status).toBe(403);
  }

  // What comes now is of the hours that are open now: the next run has it, and nothing of what was delivered.
  await publishConsents(240, 120);
  await publishInteractions(broker, interactionsOf('didomi', 1000, 3000));
  await interactionsCounted(world.database, broker);
  const later = await recount(broker, 'didomi');
  await moveTo(began + 2 * DAY + 5 * 60_000);
  for (const exported of exports) {
    await completedRuns(didomi, exported, 2);
    await verify(exported);
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

  for (const frequency of ['weekly', 'monthly'] as const) {
    await moveTo(Date.parse(periodOf(frequency, expected.day).lastDay) + DAY + 8 * HOUR + 60_000);
    await compareReports(reports, frequency, expected);
  }
});

let clock = 0;

/** Sets the platform's clock, which never goes back. */
async function moveTo(time: number): Promise<void> {
  clock = Math.max(clock, time - Date.now());
  await moveClock(world.database, clock / 1000);
}

/** Until the scheduler has looked for what is due twice, by the clock as it is now. */
async function schedulerHasLooked(): Promise<void> {
  const looks = async () => {
    const text = await (await fetch(`${urls.scheduler}/metrics`)).text();
    return Number(/^scheduler_tasks_ended_total{task="plan",outcome="ok"} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const before = await looks();
  await waitFor(async () => (await looks()) >= before + 2, { describe: 'the scheduler to look', timeoutMs });
}

async function sendOverRest(customer: Customer): Promise<void> {
  const [one, ...more] = interactionsOf('didomi', 90, 20_000).flatMap((each) =>
    typeof each !== 'string' && each.organization_id === 'didomi' ? [each] : [],
  );
  const path = '/v1/consents/interactions';
  expect(await customer.send('POST', path, one)).toMatchObject({ status: 202, body: one });
  expect(await customer.send('POST', path, more)).toMatchObject({ status: 200 });
}

/** Not every producer keeps a device in one partition. */
async function publishAnywhere(): Promise<void> {
  const messages = interactionsOf('didomi', 300, 30_000).map((each, n) => ({
    partition: n % 3,
    value: typeof each === 'string' ? each : JSON.stringify(each),
  }));
  await world.kafka.admin.produce(interactionsTopic, messages);
}

/** With the platform's own verifier: signature, sums and chain of the manifests. */
async function verify({ id, bucketName, bucket }: CreatedExport): Promise<void> {
  const found = (await bucket.list(`data/export-id=${id}/`)).filter(({ key }) => key.includes('manifest'));
  expect(found.length).toBeGreaterThan(0);
  const scheme = bucketName.startsWith('consent-exports-') ? 's3' : 'gs';
  const { ok, report } = await verifyDelivery(`${scheme}://${bucketName}/data/export-id=${id}`, world.environment);
  expect({ ok, report: ok ? '' : report }).toEqual({ ok: true, report: '' });
}

type Recounted = Awaited<ReturnType<typeof recount>>;

/** Holds the reports of the period that a day lies in against what was recounted of that day. */
async function compareReports(
  { id: analyticsId, key }: { id: string; key: string },
  frequency: 'daily' | 'weekly' | 'monthly',
  expected: Recounted,
): Promise<void> {
  for (const aggregation of ['interaction', 'granular'] as const) {
    const name = formatReportPrefix({ aggregation, ...periodOf(frequency, expected.day) });
    const files = await downloadReport({ url: urls.downloads, analyticsId, name, key });
    const ofDay = files.map((text) => {
      const [header, ...rows] = text.split('\r\n');
      return [header, ...rows.filter((row) => row === '' || row.startsWith(`${expected.day},`))].join('\r\n');
    });
    const compared = compareRows(expected[aggregation], ofDay);
    expect({ name, ...compared }).toEqual({ name, rows: expected[aggregation].size, wrong: 0 });
    expect(compared.rows).toBeGreaterThan(20);
  }
}

const allCounts = [...interactionCounts, ...consentCounts];

async function analyticsId(customer: Customer): Promise<{ id: string; key: string }> {
  const made = await customer.send('POST', '/v1/analytics/ids', { name: 'e2e', settings_ids: interactionSettings });
  const id = String(made.body['id']);
  const { body } = await customer.send('POST', `/v1/analytics/ids/${id}/keys`, { name: 'e2e' });
  return { id, key: String(body['api_key']) };
}
