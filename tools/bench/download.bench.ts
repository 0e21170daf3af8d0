import { generateKeyPairSync } from 'node:crypto';
import { Agent, get, type IncomingMessage, type RequestOptions } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reportFolder, shardFile } from '@delivery/analytics/domain';
import { AnalyticsKeyStore } from '@delivery/analytics/store';
import { generateApiKey, hashSecret } from '@delivery/platform/auth';
import { median, processUsage } from './measure';
import { openRig, type Rig, say, startApp, stopApp } from './rig';

export const benchedStores = ['file', 's3', 'gcs'] as const;

export interface DownloadBenchOptions {
  runs: number;
  /** Who signs: links to a bucket are signed and not followed, as nothing of them passes the gateway. */
  store: (typeof benchedStores)[number];
  /** Downloads of one large file at the same time. */
  parallel: number;
}

const port = 18_086;
const organizations = 20;
const idsPerOrganization = 10;
const days = 400;
const requestsPerSecond = 500;
const seconds = 20;
const largeMegabytes = 100;
/** What each of the parallel downloads takes before it takes nothing more. */
const takenMegabytes = 10;
const MEGABYTE = 1024 * 1024;
const FIRST_DAY = Date.parse('2025-01-01');

/** P7: how long a request for links waits, at 500 a second; then the memory of many downloads at once. */
export async function benchDownload(options: DownloadBenchOptions) {
  const rig = await openRig(1);
  const folder = await mkdtemp(join(tmpdir(), 'bench-reports-'));
  try {
    const keys = await seed(rig, folder);
    const environment = {
      ...rig.environment,
      ...storeEnvironment(options.store, folder),
      DOWNLOAD_REQUESTS_PER_15_SECONDS: '1000000',
      DOWNLOAD_FILES_AT_ONCE: '10000',
      DOWNLOAD_FILES_AT_ONCE_PER_LINK: '10000',
      DOWNLOAD_PUBLIC_URL: `http://127.0.0.1:${port}`,
    };
    const app = await startApp('download-gateway', environment, port);
    const pid = app.pid ?? 0;
    const runs = [];
    for (let run = 0; run <= options.runs; run += 1) {
      const before = processUsage(pid).cpuSeconds;
      const latency = await latencies(keys);
      const cpuMsPerRequest = ((processUsage(pid).cpuSeconds - before) / latency.requests) * 1000;
      const result = {
        ...latency,
        cpuMsPerRequest: Number(cpuMsPerRequest.toFixed(2)),
        cpuMsPerLink: Number((cpuMsPerRequest / 2).toFixed(2)),
      };
      say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${JSON.stringify(result)}`);
      if (run > 0) runs.push(result);
    }
    const downloads = options.store === 'file' ? await parallelDownloads(keys[0], pid, options.parallel) : undefined;
    if (downloads !== undefined) say(`downloads at once: ${JSON.stringify(downloads)}`);
    await stopApp(app);
    const medianP99Ms = median(runs.map(({ p99Ms }) => p99Ms));
    return { benchmark: 'P7 download', options, requestsPerSecond, medianP99Ms, runs, downloads };
  } finally {
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function storeEnvironment(store: DownloadBenchOptions['store'], folder: string): Record<string, string> {
  const bucket = { REPORT_STORE_KIND: store, REPORT_STORE_BUCKET: 'bench-reports', AWS_REGION: 'us-east-1' };
  switch (store) {
    case 'file':
      return { REPORT_STORE_KIND: store, REPORT_STORE_DIR: folder };
    case 's3':
      return bucket;
    case 'gcs': {
      // A local server takes links without a signature: these are Google's, with a key that nobody else has.
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
      const account = { client_email: 'bench@bench.iam.gserviceaccount.com', project_id: 'bench', private_key };
      return {
        ...bucket,
        GCS_ENDPOINT: '',
        REPORT_STORE_GCS_KEY: JSON.stringify({ type: 'service_account', ...account }),
      };
    }
  }
}

interface BenchKey {
  readonly analyticsId: string;
  readonly key: string;
}

/** 200 analytics ids with 800 reports each, of two files; and one large file. */
async function seed({ database }: Rig, folder: string): Promise<BenchKey[]> {
  await database.query(
    `INSERT INTO organization (organization_id, name) SELECT 'org-' || n, 'x' FROM generate_series(1, $1) AS n`,
    [organizations],
  );
  await database.query(
    `INSERT INTO analytics_id (organization_id, id, name, settings_ids, frequencies, aggregations, reports_from)
     SELECT 'org-' || o, 'id-' || o || '-' || n, 'x', '{s1}', '{daily,weekly,monthly}', '{interaction,granular}', '2025-01-01'
     FROM generate_series(1, $1) AS o, generate_series(1, $2) AS n`,
    [organizations, idsPerOrganization],
  );
  const shards = JSON.stringify(
    [1, 2].map(() => ({ bytes: largeMegabytes * MEGABYTE, rows: 1, sha256: 'ab'.repeat(32) })),
  );
  await database.query(
    `INSERT INTO analytics_report (organization_id, analytics_id, prefix, aggregation, frequency, first_day, last_day,
       settings_ids, rows_per_shard, escape_formulas, planned_at, status, shards, published_at)
     SELECT a.organization_id, a.id, g || '-' || d::date, g, 'daily', d::date, d::date, '{s1}', 1000000, false, now(),
       'published', $1, now()
     FROM analytics_id a, unnest(ARRAY['interaction', 'granular']) AS g,
       generate_series(timestamp '2025-01-01', timestamp '2025-01-01' + make_interval(days => $2), interval '1 day') AS d`,
    [shards, days - 1],
  );
  await database.query('ANALYZE');
  const ids = await database.query<{ organization_id: string; id: string }>(
    'SELECT organization_id, id FROM analytics_id',
  );
  const store = new AnalyticsKeyStore(database);
  const keys: BenchKey[] = [];
  for (const { organization_id: organizationId, id: analyticsId } of ids) {
    const { id, secret, combined } = generateApiKey();
    const row = { organizationId, id, analyticsId, name: 'bench', frequencies: undefined, aggregations: undefined };
    await store.create(row, hashSecret(secret), 1);
    keys.push({ analyticsId, key: combined });
  }
  const [first] = ids;
  const reports = join(folder, reportFolder(first?.organization_id ?? '', first?.id ?? ''));
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, shardFile('interaction-2025-01-01', 0)), Buffer.alloc(largeMegabytes * MEGABYTE, 'x'));
  return keys;
}

/** Requests leave at their times whether or not earlier ones were answered: a slow server cannot hide its queue. */
async function latencies(keys: readonly BenchKey[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const waits: number[] = [];
  const answers: Promise<unknown>[] = [];
  const began = performance.now();
  const tick = 1000 / requestsPerSecond;
  for (let n = 0; n < seconds * requestsPerSecond; n += 1) {
    const due = began + n * tick;
    if (due > performance.now()) await delay(due - performance.now());
    const { analyticsId, key } = keys[n % keys.length] ?? { analyticsId: '', key: '' };
    const day = new Date(FIRST_DAY + ((n * 7) % days) * 86_400_000).toISOString().slice(0, 10);
    const asked = links(agent, analyticsId, `${n % 2 ? 'interaction' : 'granular'}-${day}`, key);
    answers.push(asked.then(() => waits.push(performance.now() - due)));
  }
  await Promise.all(answers);
  const linksPerSecond = Math.round((2 * answers.length * 1000) / (performance.now() - began));
  agent.destroy();
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), linksPerSecond };
}

/** @throws when the answer is another than links to two files */
async function links(agent: Agent, analyticsId: string, prefix: string, key: string): Promise<string[]> {
  const path = `/download/v2/analytics/${analyticsId}/${prefix}`;
  const answer = await opened({ port, path, agent, headers: { 'x-api-key': key } });
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  const found: unknown = JSON.parse(text);
  const urls = typeof found === 'object' && found !== null && 'downloadUrls' in found ? found.downloadUrls : undefined;
  if (Array.isArray(urls) && urls.length === 2) return urls.map(String);
  throw new Error(`${path} was answered ${answer.statusCode}: ${text}`);
}

function opened(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void get(options, resolve).once('error', reject));
}

/** Clients that take a tenth of a file and then nothing: what the gateway holds for all of them. */
async function parallelDownloads(first: BenchKey | undefined, pid: number, parallel: number) {
  const { analyticsId, key } = first ?? { analyticsId: '', key: '' };
  const agent = new Agent({ keepAlive: false });
  const [link = ''] = await links(agent, analyticsId, 'interaction-2025-01-01', key);
  const { pathname, search } = new URL(link);
  const before = processUsage(pid).rssMb;
  const began = performance.now();
  const clients = await Promise.all(
    Array.from({ length: parallel }, () => partly({ port, path: pathname + search, agent })),
  );
  const took = (performance.now() - began) / 1000;
  const { rssMb, peakRssMb } = processUsage(pid);
  for (const client of clients) client.destroy();
  return {
    parallel,
    ...{ fileMegabytes: largeMegabytes, takenMegabytes, rssBeforeMb: before, rssMb, peakRssMb },
    megabytesPerSecond: Math.round((parallel * takenMegabytes) / took),
  };
}

async function partly(options: RequestOptions): Promise<IncomingMessage> {
  const answer = await opened(options);
  if (answer.statusCode !== 200) throw new Error(`the download was answered ${answer.statusCode}`);
  // Closed by this side, in the end.
  answer.on('error', () => undefined);
  let taken = 0;
  await new Promise<void>((resolve, reject) => {
    answer.once('close', () => reject(new Error('the download was cut off')));
    answer.on('data', (chunk: Buffer) => {
      taken += chunk.length;
      if (taken < takenMegabytes * MEGABYTE) return;
      answer.pause();
      resolve();
    });
  });
  return answer;
}
