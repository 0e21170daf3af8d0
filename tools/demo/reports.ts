import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { interactionRecorderName } from '@delivery/analytics/schema';
import { PositionStore } from '@delivery/ingest/store';
import { withDatabase } from '../admin';
import { logEnds } from '../oracle';
import type { StackEnvironment } from '../stack';
import type { Client } from './client';
import {
  type Broker,
  demoInteractions,
  demoSettings,
  interactionsTopic,
  publishInteractions,
  recount,
  type Rows,
} from './interactions';

export interface ReportsPlatform {
  environment: StackEnvironment;
  urls: { api: string; ingest: string; downloads: string };
  say: (line: string) => void;
}

export interface DemoReports {
  produced: number;
  counted: number;
  duplicates: number;
  rejected: number;
  analyticsId: string;
  /** One of the commands that were run. */
  curl: string;
  reports: { name: string; files: number; rows: number; wrong: number }[];
}

const timeoutMs = 180_000;
const shortlyAfterEight = 8 * 3600 + 60;

/** What people do on banners goes in, reports come out: downloaded, and compared with a recount of the log. */
export async function runReports(
  { environment, urls, say }: ReportsPlatform,
  client: Client,
  interactions: number,
): Promise<DemoReports> {
  const broker = {
    brokers: (environment['KAFKA_BROKERS'] ?? '').split(','),
    topicPrefix: environment['KAFKA_TOPIC_PREFIX'] ?? '',
  };
  const { id, key } = await createAnalyticsId(client, urls.api);
  const sent = demoInteractions(client.organization, interactions);
  say(`publishing ${sent.length} interactions`);
  await publishInteractions(broker, sent);
  await untilCounted(environment, broker);
  const expected = await recount(broker, client.organization);
  say("moving the clock of the demo's own database to tomorrow, 08:01 UTC, when reports are there");
  await moveClock(environment, expected.day);
  const reports = [];
  for (const aggregation of ['interaction', 'granular'] as const) {
    const name = `${aggregation}-${expected.day}`;
    const files = await download(urls.downloads, id, name, key);
    const { rows, wrong } = compare(expected[aggregation], files);
    reports.push({ name, files: files.length, rows, wrong });
  }
  const { counted, duplicates, rejected } = expected;
  const curl = curlLine(urls.downloads, id, reports[0]?.name ?? '', key);
  return { produced: sent.length, counted, duplicates, rejected, analyticsId: id, curl, reports };
}

async function createAnalyticsId(client: Client, api: string): Promise<{ id: string; key: string }> {
  const wish = { organization_id: client.organization, name: 'demo', settings_ids: demoSettings };
  const { id } = await client.post<{ id: string }>(`${api}/v1/analytics/ids`, wish);
  const made = await client.post<{ api_key: string }>(`${api}/v1/analytics/ids/${id}/keys`, {
    name: 'demo',
  });
  return { id, key: made.api_key };
}

async function untilCounted(environment: StackEnvironment, { brokers, topicPrefix }: Broker): Promise<void> {
  const ends = await logEnds(brokers, `${topicPrefix}${interactionsTopic}`);
  const positions = new PositionStore();
  await withDatabase(environment, (database) =>
    until('the interactions to be counted', async () => {
      const at = await positions.readAll(database, interactionRecorderName);
      const next = new Map(at.map(({ partition, nextOffset }) => [partition, nextOffset]));
      return [...ends].every(([partition, end]) => (next.get(partition) ?? 0n) >= end) || undefined;
    }),
  );
}

/** Its services read it by new connections only, so theirs are ended: they go on by themselves. */
async function moveClock(environment: StackEnvironment, day: string): Promise<void> {
  await withDatabase(environment, async (database) => {
    const [row] = await database.query<{ name: string; seconds: number }>(
      `SELECT current_database() AS name,
         extract(epoch FROM $1::date + 1 - (now() AT TIME ZONE 'UTC'))::float8 AS seconds`,
      [day],
    );
    const seconds = Math.ceil((row?.seconds ?? 0) + shortlyAfterEight);
    await database.query(`ALTER DATABASE ${row?.name} SET delivery.clock_offset = '${seconds} seconds'`);
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  });
}

/** The command of the contract's own page. */
function curlLine(url: string, id: string, name: string, key: string): string {
  return `curl --location --request GET '${url}/download/v2/analytics/${id}/${name}' --header 'X-API-Key: ${key}'`;
}

/** @returns the text of each file */
async function download(url: string, id: string, name: string, key: string): Promise<string[]> {
  const answer = await until(`report ${name}`, async () => {
    const body = JSON.parse(await run(curlLine(url, id, name, key))) as { downloadUrls?: string[]; message?: string };
    return body.downloadUrls;
  });
  return Promise.all(answer.map(async (link) => (await fetch(link)).text()));
}

function run(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `${command} --silent`], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`curl ended with ${code}: is it installed? ${command}`));
    });
  });
}

/** Rows that are only in one of both, or have another count. */
function compare(expected: Rows, files: readonly string[]): { rows: number; wrong: number } {
  const found = files.flatMap((text) => text.split('\r\n').slice(1, -1));
  const left = new Map(expected);
  let wrong = 0;
  for (const line of found) {
    const row = line.slice(0, line.lastIndexOf(','));
    if (left.get(row) !== Number(line.slice(row.length + 1))) wrong += 1;
    left.delete(row);
  }
  return { rows: found.length, wrong: wrong + left.size };
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(500)) {
    // While services come back after their connections were ended, they may answer 503.
    const found = await ask().catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
}
