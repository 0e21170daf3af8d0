import { spawn } from 'node:child_process';
import { interactionRecorderName } from '@delivery/analytics/schema';
import { PositionStore } from '@delivery/ingest/store';
import type { Database } from '@delivery/platform/postgres';
import { waitFor } from '@delivery/platform/testing';
import { type Broker, interactionsTopic, logEnds, type Rows } from '../oracle';

const timeoutMs = 180_000;
const shortlyAfterEight = 8 * 3600 + 60;

/** Waits until the aggregator has passed the present end of the interactions' log. */
export async function interactionsCounted(database: Database, { brokers, topicPrefix }: Broker): Promise<void> {
  const ends = await logEnds(brokers, `${topicPrefix}${interactionsTopic}`);
  const positions = new PositionStore();
  const passed = async () => {
    const at = await positions.readAll(database, interactionRecorderName);
    const next = new Map(at.map(({ partition, nextOffset }) => [partition, nextOffset]));
    return [...ends].every(([partition, end]) => (next.get(partition) ?? 0n) >= end);
  };
  await waitFor(passed, { describe: 'the interactions to be counted', timeoutMs });
}

/**
 * Moves the clock of a database to 08:01 UTC of the day after `day`, when its reports are there.
 */
export async function moveClockPast(database: Database, day: string): Promise<void> {
  await moveClock(database, (Date.parse(day) - Date.now()) / 1000 + 24 * 3600 + shortlyAfterEight);
}

/**
 * The clock of a database is so much ahead of this machine's from now on. Services read it by new connections only, so
 * theirs are ended: they go on by themselves.
 */
export async function moveClock(database: Database, seconds: number): Promise<void> {
  const [row] = await database.query<{ name: string }>('SELECT current_database() AS name');
  await database.query(`ALTER DATABASE ${row?.name} SET delivery.clock_offset = '${Math.ceil(seconds)} seconds'`);
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

export interface ReportAsked {
  /** Of the gateway. */
  readonly url: string;
  readonly analyticsId: string;
  /** `interaction-2026-01-01` */
  readonly name: string;
  /** As it is sent. */
  readonly key: string;
}

/** The command of the contract's own page. */
export function curlLine({ url, analyticsId, name, key }: ReportAsked): string {
  return `curl --location --request GET '${url}/download/v2/analytics/${analyticsId}/${name}' --header 'X-API-Key: ${key}'`;
}

/** Asks for a report until it is there, by {@link curlLine}. @returns the text of each of its files */
export async function downloadReport(asked: ReportAsked): Promise<string[]> {
  const ask = async () => {
    const body = JSON.parse(await run(curlLine(asked))) as { downloadUrls?: string[] };
    return body.downloadUrls;
  };
  const links = await waitFor(ask, { describe: `report ${asked.name}`, timeoutMs });
  return Promise.all(links.map(async (link) => (await fetch(here(asked.url, link))).text()));
}

/** A link of the gateway's own, at the port where this one is. */
function here(url: string, link: string): string {
  const { pathname, search } = new URL(link);
  return pathname.startsWith('/download/files/') ? `${url}${pathname}${search}` : link;
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

/** Rows of a report's files, and how many of them are only in one of both or have another count. */
export function compareRows(expected: Rows, files: readonly string[]): { rows: number; wrong: number } {
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
