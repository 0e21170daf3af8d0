import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openFileReader } from '@delivery/destinations/file';
import {
  layoutOf,
  type Manifest,
  manifestBytes,
  newRunId,
  runKeys,
  sha256,
  signingInput,
  totalsOf,
  type UnsignedManifest,
} from '@delivery/exports/domain';
import { type Verdict, verifyBucket } from './verify-bucket';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
let bucket: string;

beforeEach(async () => {
  bucket = await mkdtemp(join(tmpdir(), 'verify-'));
});
afterEach(() => rm(bucket, { recursive: true }));

async function check(prefix = ''): Promise<Verdict> {
  const reader = await openFileReader({ root: bucket });
  return verifyBucket(
    {
      reader,
      signal: new AbortController().signal,
      verifySignature: (input, { key_id, value }) => {
        if (key_id !== 'k1') return 'unknown_key';
        return verify(null, input, publicKey, Buffer.from(value, 'base64')) ? 'valid' : 'invalid';
      },
    },
    prefix,
  );
}

async function differences(prefix = ''): Promise<string[]> {
  const verdict = await check(prefix);
  expect(verdict.verified).toBe(verdict.differences.length === 0);
  return verdict.differences.map(({ where, what }) => `${where.split('/').at(-1)}: ${what}`);
}

async function put(key: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(bucket, key)), { recursive: true });
  await writeFile(join(bucket, key), bytes);
}

const at = (offset: number) => ({ 'consent.events.v1': { '0': { epoch: 1, offset: String(offset) } } });

interface Delivered {
  run: string;
  keys: ReturnType<typeof runKeys>;
  manifest: Manifest;
  to: number;
}

/** Writes a run with two files, as an exporter does. */
async function deliver(before: Delivered | undefined, changes: Partial<UnsignedManifest> = {}): Promise<Delivered> {
  const run = newRunId();
  const keys = runKeys(layoutOf('users', 'gzip'), { id: 'e1', date: '2026-01-02', run });
  const files = [];
  for (const number of [0, 1]) {
    const bytes = gzipSync(`{"user":${number}}\n{"user":"again"}\n`);
    await put(keys.file(number), bytes);
    files.push({ key: keys.file(number), bytes: bytes.length, rows: 2, sha256: sha256(bytes) });
  }
  const from = before?.to ?? 0;
  const unsigned: UnsignedManifest = {
    manifest_version: 1,
    run,
    organization_id: 'acme',
    export_id: 'e1',
    content: 'consent-users',
    schema_version: 1,
    date: '2026-01-02',
    window: { from: at(from), to: at(from + 10), from_at: null, to_at: '2026-01-02T00:00:00.000Z' },
    complete_until: '2026-01-02T00:00:00.000Z',
    due_at: '2026-01-02T00:00:00.000Z',
    due_times: ['2026-01-02T00:00:00.000Z'],
    trigger: 'schedule',
    files,
    totals: totalsOf(files, { users: 4, events: 4 }),
    previous: before === undefined ? null : { run: before.run, sha256: sha256(manifestBytes(before.manifest)) },
    missing: [],
    erased: [],
    ...changes,
  };
  const value = sign(null, signingInput(unsigned), privateKey).toString('base64');
  const manifest: Manifest = { ...unsigned, signature: { algorithm: 'Ed25519', key_id: 'k1', value } };
  await put(keys.manifest, manifestBytes(manifest));
  await put(keys.success, '');
  return { run, keys, manifest, to: from + 10 };
}

describe('a bucket', () => {
  it('is verified when it is as its manifests say', async () => {
    const first = await deliver(undefined);
    const second = await deliver(first);
    await put('data/export-id=e1/date=2026-01-02/users/readme.txt', "the customer's own");
    const verdict = await check();
    expect(verdict).toMatchObject({ verified: true, differences: [], notes: [] });
    expect(verdict.runs.map(({ run }) => run)).toEqual([first.run, second.run].sort());
    expect(verdict.runs[0]).toMatchObject({
      organization: 'acme',
      export: 'e1',
      files: 2,
      rows: 4,
      users: 4,
      events: 4,
    });
  });

  it('can be verified from a prefix on, and as a copy elsewhere', async () => {
    const { keys } = await deliver(undefined);
    expect(await differences('data/export-id=e1/')).toEqual([]);
    await rename(join(bucket, keys.folder), join(bucket, 'moved'));
    expect(await differences('moved/')).toEqual([]);
  });

  it('without a delivery is not verified', async () => {
    expect(await differences()).toEqual([expect.stringContaining('holds no delivery')]);
  });

  it('shows a file that was changed, cut, replaced or removed', async () => {
    const { keys } = await deliver(undefined);
    const bytes = await readFile(join(bucket, keys.file(0)));
    const name = keys.file(0).split('/').at(-1);

    await put(keys.file(0), bytes.subarray(0, bytes.length - 9));
    expect(await differences()).toEqual([
      `${name}: has ${bytes.length - 9} bytes instead of ${bytes.length}`,
      expect.stringContaining('has the SHA-256'),
      `${name}: has 1 lines instead of 2`,
      expect.stringContaining('is not whole gzip'),
    ]);
    const long = Buffer.alloc(200_000, bytes);
    await put(keys.file(0), long);
    expect(await differences()).toContain(`${name}: has 200000 bytes instead of ${bytes.length}`);
    const other = gzipSync('{"user":0}\n{"user":"other"}\n{"user":"third"}');
    await put(keys.file(0), other);
    const found = await differences();
    expect(found).toContain(`${name}: ends in the middle of a line`);
    expect(found.some((line) => line.includes('instead of'))).toBe(true);

    await rm(join(bucket, keys.file(0)));
    expect(await differences()).toEqual([`${name}: is missing`]);
  });

  it('shows a change of any one byte', async () => {
    const { keys } = await deliver(undefined);
    const bytes = await readFile(join(bucket, keys.file(0)));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      await put(keys.file(0), changed);
      expect(await differences()).toContainEqual(expect.stringContaining('has the SHA-256'));
    }
  });

  it('shows what belongs to no manifest', async () => {
    const { run, keys } = await deliver(undefined);
    const stranger = newRunId();
    await put(keys.file(2), gzipSync('{}\n'));
    await put(`${keys.folder}${stranger}-000000.json.gz`, gzipSync('{}\n'));
    expect((await differences()).sort()).toEqual(
      [
        `${run}-000002.json.gz: is not in the manifest of run ${run}`,
        `${stranger}-000000.json.gz: is of run ${stranger}, which has no manifest here`,
      ].sort(),
    );
  });

  it('shows a delivery that is not complete', async () => {
    const { keys } = await deliver(undefined);
    await rm(join(bucket, keys.success));
    expect(await differences()).toEqual([': has no _SUCCESS: a delivery is under way or failed']);
    await rm(join(bucket, keys.manifest));
    expect(await differences()).toHaveLength(3);
    await put(keys.success, '');
    expect((await differences()).at(-1)).toBe(': has _SUCCESS but no manifest that can be read');
  });

  it('shows a manifest that was changed, and one that is no manifest', async () => {
    const { keys, manifest } = await deliver(undefined);
    await put(keys.manifest, manifestBytes({ ...manifest, date: '2026-01-03' }));
    expect((await differences())[0]).toContain('has a signature that does not fit');
    await put(keys.manifest, '{');
    expect((await differences())[0]).toContain('the manifest is not JSON');
    await put(keys.manifest, manifestBytes({ ...manifest, signature: { ...manifest.signature, key_id: 'k2' } }));
    expect((await differences())[0]).toContain('the key "k2", which was not given');
  });

  it('shows a manifest under the name of another run', async () => {
    const first = await deliver(undefined);
    const second = await deliver(first);
    await put(second.keys.manifest, manifestBytes(first.manifest));
    expect((await differences())[0]).toContain(`is the manifest of another run, ${first.run}`);
  });

  it('shows a gap between deliveries, and notes one that is expected', async () => {
    const first = await deliver(undefined);
    const lost = { ...first, to: 15 };
    await deliver(lost);
    expect((await differences())[0]).toContain('there is a gap that no manifest names');
    await rm(bucket, { recursive: true });
    const again = await deliver(undefined);
    await deliver({ ...again, to: 15 }, { missing: [newRunId()] });
    const verdict = await check();
    expect(verdict.verified).toBe(true);
    expect(verdict.notes[0]?.what).toContain('is named as missing and not delivered yet');
  });
});
