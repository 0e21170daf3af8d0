import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import {
  applyEvent,
  type ConsentEventInput,
  eventDocument,
  normalizeEvent,
  userDocument,
} from '@delivery/consent/domain';
import { deliveredLineSchema } from '@delivery/exports/schema';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

const sql = readFileSync(join(__dirname, '..', '..', 'docs', 'examples', 'load-delivery.sql'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'delivery-'));
const users = 'data/export-id=58g9gnu3b5';
const arrivedAt = Date.parse('2026-11-23T10:00:00Z');

/** A line as an export writes it: the user as his events leave him, at `version`, and some of his events. */
function line(events: readonly { input: ConsentEventInput; version?: number }[], version: number): string {
  const normalized = events.map(({ input }, offset) =>
    normalizeEvent(input, {
      clusterId: 'c',
      topic: 't',
      position: { topicId: 1, epoch: 1, partition: 0, offset: BigInt(offset) },
      arrivedAt,
    }),
  );
  const state = normalized.reduce<ReturnType<typeof applyEvent> | undefined>(applyEvent, undefined);
  if (state === undefined) throw new Error('a line has at least one event');
  const documents = normalized.map((event, index) => eventDocument(event, events[index]?.version ?? 1));
  return `{"user":${userDocument({ ...state, version })},"events":[${documents.join(',')}]}`;
}

const choice = (id: string, user: string, enabled: boolean): ConsentEventInput => ({
  organization_id: 'acme',
  id,
  created_at: '2026-11-22T08:00:00Z',
  user: { organization_user_id: user },
  consents: { purposes: [{ id: 'newsletter', enabled }] },
  metadata: { note: 'naïve "quotes", \u2028 and 🍪' },
});

function deliver(key: string, ...lines: string[]): void {
  mkdirSync(dirname(join(folder, key)), { recursive: true });
  writeFileSync(join(folder, key), gzipSync(`${lines.join('\n')}\n`));
}

const first = line([{ input: choice('e1', 'ann', true) }, { input: choice('e2', 'ann', false) }], 2);
const second = line([{ input: choice('e3', 'bob', true) }], 1);
const amended = line([{ input: choice('e2', 'ann', true), version: 2 }], 3);

let connection: DuckDBConnection;

async function load(pattern: string): Promise<void> {
  await connection.run(`SET VARIABLE delivery = '${join(folder, pattern)}'`);
  await connection.run(sql);
}

async function rows(query: string): Promise<unknown[]> {
  return (await connection.runAndReadAll(query)).getRowObjectsJson();
}

beforeAll(async () => {
  deliver(`${users}/date=2026-11-22/users/01-000000.json.gz`, first, second);
  // The same user once more, as when he has more events than a line holds.
  deliver(`${users}/date=2026-11-23/users/02-000000.json.gz`, amended, second);
  connection = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true });
});

describe('load-delivery.sql', () => {
  it('reads lines of the published schema', () => {
    const validate = addFormats(new Ajv2020({ allowUnionTypes: true })).compile(deliveredLineSchema);
    for (const text of [first, second, amended])
      expect([validate(JSON.parse(text)), validate.errors]).toEqual([true, null]);
  });

  it('keeps each event once by (id, version), and of each user the newest state', async () => {
    await load(`${users}/date=*/users/*.json.gz`);
    const events = 'SELECT id, version, user_id FROM consent_event ORDER BY id, version';
    const loaded = await rows(events);
    expect(loaded).toMatchObject([
      { id: 'e1', version: 1 },
      { id: 'e2', version: 1 },
      { id: 'e2', version: 2 },
      { id: 'e3', version: 1 },
    ]);
    const states = await rows('SELECT organization_user_id, version FROM consent_user ORDER BY ALL');
    expect(states).toEqual([
      { organization_user_id: 'ann', version: 3 },
      { organization_user_id: 'bob', version: 1 },
    ]);
    const notes = await rows("SELECT DISTINCT document -> 'metadata' ->> 'note' AS note FROM consent_event");
    expect(notes).toEqual([{ note: 'naïve "quotes", \u2028 and 🍪' }]);
  });

  it('changes nothing when an older day is loaded again', async () => {
    const before = [await rows('FROM consent_event ORDER BY ALL'), await rows('FROM consent_user ORDER BY ALL')];
    await load(`${users}/date=2026-11-22/users/*.json.gz`);
    expect([await rows('FROM consent_event ORDER BY ALL'), await rows('FROM consent_user ORDER BY ALL')]).toEqual(
      before,
    );
    expect(await rows('SELECT count(*)::INT AS n FROM consent_event')).toEqual([{ n: 4 }]);
  });
});

it("the readme's query reads events alone, with either compression", async () => {
  const events = [first, second].map((text) => JSON.stringify(JSON.parse(text).events[0]));
  const place = `${users}/date=2026-11-24/events`;
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, place, '03-000000.json.gz'), gzipSync(`${events[0]}\n`));
  writeFileSync(join(folder, place, '03-000001.json.zst'), zstdCompressSync(`${events[1]}\n`));
  const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
  const query = /SELECT .* FROM read_json\('([^']+)'\)/.exec(readme);
  if (query?.[1] === undefined) throw new Error('the readme has no such query');
  const found = await rows(query[0].replace(query[1], join(folder, query[1])));
  expect(found).toMatchObject([
    { id: 'e1', user: { organization_user_id: 'ann' } },
    { id: 'e3', user: { organization_user_id: 'bob' } },
  ]);
});
