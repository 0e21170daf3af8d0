import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { consentCommandsTopic, topicSpecs as consentTopics } from '@delivery/consent/schema';
import { topicSpecs as exportTopics } from '@delivery/exports/schema';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

import { generateAsyncApi } from './asyncapi';
import { readClassComments } from './doc-comments';
import { differences, generateAll, referenceFolder, writeAll } from './generator';
import { generateJsonSchemas } from './json-schemas';

const root = join(__dirname, '..', '..');

/** The generators read sources relative to the workspace, as `npm run generate` does. */
beforeAll(() => process.chdir(root));

function schema(name: string): object {
  const file = generateJsonSchemas().find(({ path }) => path === `${referenceFolder}/${name}`);
  return JSON.parse(file?.text ?? 'null');
}

function compile(name: string) {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false });
  return addFormats(ajv).compile(schema(name));
}

describe('writing the reference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('formats and sorts, tells what changed, and removes what nothing makes any more', async () => {
    const files = await generateAll([
      () => [{ path: `${referenceFolder}/b.json`, text: '{"b":1}' }],
      () => [{ path: `${referenceFolder}/a.md`, text: '# a\n\n\n- x' }],
    ]);
    expect(files.map(({ text }) => text)).toEqual(['# a\n\n- x\n', '{ "b": 1 }\n']);

    mkdirSync(join(folder, referenceFolder), { recursive: true });
    writeFileSync(join(folder, referenceFolder, 'a.md'), 'old');
    writeFileSync(join(folder, referenceFolder, 'gone.md'), 'old');
    const expected = ['a.md: differs', 'b.json: is missing', 'gone.md: nothing generates it'];
    expect(differences(folder, files)).toEqual(expected.map((line) => `${referenceFolder}/${line}`));
    expect(writeAll(folder, files)).toHaveLength(3);
    expect(differences(folder, files)).toEqual([]);
    expect(readFileSync(join(folder, referenceFolder, 'b.json'), 'utf8')).toBe('{ "b": 1 }\n');
  });
});

describe('the published schemas', () => {
  it('say what the comments in the code say', () => {
    const path = 'libs/consent/schema/src/consent-event.message.ts';
    const comments = readClassComments(path).get('PurposeMessage');
    expect(comments?.properties.get('enabled_li')).toBe('Choice based on legitimate interest; `false` means objected.');
    const $defs = { PurposeMessage: { properties: { enabled_li: { description: expect.any(String) } } } };
    expect(schema('consent-event.schema.json')).toMatchObject({ description: expect.any(String), $defs });
  });

  it('accept what is sent', () => {
    const event = { organization_id: 'acme', consents: { purposes: [{ id: 'cookies', enabled: true }] }, source: null };
    expect(compile('consent-event.schema.json')(event)).toBe(true);
    expect(compile('consent-event.schema.json')({ ...event, organisation: 'acme' })).toBe(false);

    const shown = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 'set-1', country: null };
    expect(compile('interaction.schema.json')(shown)).toBe(true);
    expect(compile('interaction.schema.json')({ ...shown, country: 'France' })).toBe(false);
    const report = { organization_id: 'acme', analytics_id: 'a', prefix: 'granular-2026-01-02' };
    expect(compile('reports-requested.schema.json')(report)).toBe(true);

    const run = { organization_id: 'acme', run_id: '0199' };
    expect(compile('run-requested.schema.json')(run)).toBe(true);
    const times = { date: '2026-11-23', due_at: '2026-11-23T00:00:00.000Z', retry_at: null, finished_at: null };
    const changed = { ...run, ...times, export_id: 'x', change: 2, status: 'running', trigger: 'manual', attempt: 1 };
    expect(compile('run-changed.schema.json')(changed)).toBe(true);
    expect(compile('run-changed.schema.json')({ ...changed, retry_at: 'soon' })).toBe(false);
  });
});

describe('the AsyncAPI document', () => {
  const document: AsyncApi = parse(generateAsyncApi()[0]?.text ?? '');

  it('describes every topic but the private one', () => {
    const topics = [...consentTopics(3), ...analyticsTopics(3), ...exportTopics(3)].map(({ name }) => name);
    const described = Object.values(document.channels).map(({ address }) => address);
    expect(described.sort()).toEqual(topics.filter((name) => name !== consentCommandsTopic).sort());
  });

  it('refers to what exists', () => {
    const files = new Set(generateJsonSchemas().map(({ path }) => path));
    const broken = refsIn(document).filter((ref) =>
      ref.startsWith('#/') ? at(document, ref) === undefined : !files.has(`${referenceFolder}/${ref.slice(2)}`),
    );
    expect(broken).toEqual([]);
  });
});

interface AsyncApi {
  channels: Record<string, { address: string }>;
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
}

function at(document: object, ref: string): unknown {
  const step = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return ref.slice(2).split('/').reduce(step, document);
}
