import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { type Manifest, manifestBytes, signingInput, totalsOf, type UnsignedManifest } from './manifest';
import { readManifest } from './manifest-reader';
import { fileFaults, type SignatureVerdict, storedManifest, verifyChain, verifyManifest } from './verification';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

function signed(unsigned: UnsignedManifest): Manifest {
  const value = sign(null, signingInput(unsigned), privateKey).toString('base64');
  return { ...unsigned, signature: { algorithm: 'Ed25519', key_id: 'k1', value } };
}

function checkSignature(input: Buffer, signature: Manifest['signature']): SignatureVerdict {
  if (signature.key_id !== 'k1') return 'unknown_key';
  return verify(null, input, publicKey, Buffer.from(signature.value, 'base64')) ? 'valid' : 'invalid';
}

const at = (offset: number) => ({ 'consent.events.v1': { '0': { epoch: 1, offset: String(offset) } } });

function unsigned(run: string, from: number, to: number, changes: Partial<UnsignedManifest> = {}): UnsignedManifest {
  const files = [
    {
      key: `data/export-id=e/date=2026-01-02/users/${run}-000000.json.gz`,
      bytes: 100,
      rows: 3,
      sha256: 'a'.repeat(64),
    },
  ];
  return {
    manifest_version: 1,
    run,
    organization_id: 'acme',
    export_id: 'e',
    content: 'consent-users',
    schema_version: 1,
    date: '2026-01-02',
    window: { from: at(from), to: at(to), from_at: '2026-01-01T00:00:00.000Z', to_at: '2026-01-02T00:00:00.000Z' },
    complete_until: '2026-01-02T00:00:00.000Z',
    due_at: '2026-01-02T00:00:00.000Z',
    due_times: ['2026-01-02T00:00:00.000Z'],
    trigger: 'schedule',
    files,
    totals: totalsOf(files, { users: 2, events: 5 }),
    previous: null,
    missing: [],
    erased: [],
    ...changes,
  };
}

const stored = (manifest: UnsignedManifest) => {
  const bytes = manifestBytes(signed(manifest));
  return storedManifest(signed(manifest), bytes);
};
const link = (of: ReturnType<typeof stored>) => ({ run: of.manifest.run, sha256: of.sha256 });

describe('manifest', () => {
  it('is the same bytes however its fields are ordered', () => {
    const manifest = signed(unsigned('r1', 0, 5));
    const { run, ...rest } = manifest;
    expect(manifestBytes({ ...rest, run })).toEqual(manifestBytes(manifest));
    expect(manifestBytes(manifest).toString()).toMatch(/^\{"complete_until":.*\}\n$/);
  });

  it('is read back and trusted', () => {
    const manifest = signed(unsigned('r1', 0, 5));
    expect(verifyManifest(manifestBytes(manifest), checkSignature)).toEqual({ manifest, faults: [] });
  });

  it('is not trusted when any byte of a value changed', () => {
    const bytes = manifestBytes(signed(unsigned('r1', 0, 5)));
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 2 }), fc.integer({ min: 1, max: 255 }), (index, by) => {
        const changed = Buffer.from(bytes);
        changed[index] = ((changed[index] ?? 0) + by) % 256;
        const { manifest, faults } = verifyManifest(changed, checkSignature);
        // A change of white space or of a base64 letter's unused bits leaves the signed value as it is.
        const same = manifest !== undefined && signingInput(manifest).equals(signingInput(unsigned('r1', 0, 5)));
        expect(faults.length > 0 || same).toBe(true);
      }),
    );
  });

  it('says which key it needs', () => {
    const manifest = signed(unsigned('r1', 0, 5));
    const other = { ...manifest, signature: { ...manifest.signature, key_id: 'k2' } };
    expect(verifyManifest(manifestBytes(other), checkSignature).faults).toEqual([
      'is signed with the key "k2", which was not given',
    ]);
  });

  it('keeps fields a later version added, since they are signed', () => {
    const later = { ...unsigned('r1', 0, 5), compression: 'zstd' };
    const bytes = manifestBytes(signed(later));
    expect(verifyManifest(bytes, checkSignature).faults).toEqual([]);
  });

  it('names every field that is not what it should be', () => {
    const broken = Buffer.from(
      JSON.stringify({
        ...signed(unsigned('r1', 0, 5)),
        run: '',
        totals: { files: -1 },
        window: { from: [], to: {}, from_at: 'x', to_at: 1 },
        files: [{ key: 'k' }],
      }),
    );
    expect(readManifest(broken).faults).toEqual([
      'run must be a text',
      'window.from: Not a position vector: positions must be an object.',
      'window.from_at must be a time',
      'window.to_at must be a time',
      'files[0].bytes must be a whole number from 0',
      'files[0].rows must be a whole number from 0',
      'files[0].sha256 must be a SHA-256',
      'totals.files must be a whole number from 0',
      'totals.bytes must be a whole number from 0',
      'totals.rows must be a whole number from 0',
      'totals.users must be a whole number from 0',
      'totals.events must be a whole number from 0',
    ]);
    expect(readManifest(Buffer.from('{')).faults).toEqual(['the manifest is not JSON']);
    expect(readManifest(Buffer.from('[]')).faults).toEqual(['the manifest must be an object']);
  });

  it('contradicts itself visibly', () => {
    const totals = { files: 2, bytes: 99, rows: 3, users: 4, events: 5 };
    const { faults } = verifyManifest(manifestBytes(signed(unsigned('r1', 5, 0, { totals }))), checkSignature);
    expect(faults).toEqual([
      'states 2 files in total, but lists 1',
      'states 99 bytes in total, but lists 100',
      'states 4 users in 3 lines',
      'has a window that runs backwards',
    ]);
  });
});

describe('a stored file', () => {
  const expected = { key: 'k', bytes: 10, rows: 2, sha256: 'a'.repeat(64) };

  it('is as the manifest says, or the difference is named', () => {
    expect(fileFaults(expected, { bytes: 10, rows: 2, sha256: 'a'.repeat(64) })).toEqual([]);
    expect(fileFaults(expected, undefined)).toEqual(['is missing']);
    expect(fileFaults(expected, { bytes: 9, rows: 1, sha256: 'b'.repeat(64) })).toEqual([
      'has 9 bytes instead of 10',
      `has the SHA-256 ${'b'.repeat(64)} instead of ${'a'.repeat(64)}`,
      'has 1 lines instead of 2',
    ]);
  });
});

describe('the chain of deliveries', () => {
  const first = stored(unsigned('r1', 0, 5));
  const second = stored(unsigned('r2', 5, 9, { previous: link(first) }));
  const third = stored(unsigned('r3', 9, 9, { previous: link(second) }));

  it('holds, in whatever order it is read', () => {
    for (const order of [
      [first, second, third],
      [third, first, second],
      [second, third, first],
    ]) {
      expect(verifyChain(order)).toEqual({ faults: [], notes: [] });
    }
  });

  it('may begin with a delivery whose predecessor expired', () => {
    expect(verifyChain([second, third])).toEqual({
      faults: [],
      notes: ['run r2 follows run r1, which is no longer here'],
    });
  });

  it('breaks when a manifest was replaced', () => {
    const replaced = stored(unsigned('r1', 0, 5, { trigger: 'manual' }));
    expect(verifyChain([replaced, second]).faults).toEqual([
      'run r2 follows a manifest of run r1 that differs from the one stored',
    ]);
  });

  it('breaks when two runs take the same place', () => {
    const fork = stored(unsigned('r4', 9, 12, { previous: link(first) }));
    expect(verifyChain([first, second, fork]).faults).toEqual(['runs r2 and r4 both follow run r1']);
  });

  it('names overlaps and gaps', () => {
    const overlapping = stored(unsigned('r5', 4, 9, { previous: link(first) }));
    expect(verifyChain([first, overlapping]).faults).toEqual(['the windows of runs r1 and r5 overlap']);
    const gap = stored(unsigned('r6', 7, 9, { previous: link(first) }));
    expect(verifyChain([first, gap]).faults).toEqual([
      'between the windows of runs r1 and r6 there is a gap that no manifest names',
    ]);
    expect(verifyChain([first, stored(unsigned('r1b', 0, 5, { previous: link(first) }))]).faults).toEqual([
      'the windows of runs r1 and r1b overlap',
    ]);
  });

  it('accepts a gap that is named as missing, until it is delivered', () => {
    const later = stored(unsigned('r3', 9, 12, { previous: link(first), missing: ['r2'] }));
    expect(verifyChain([first, later])).toEqual({
      faults: [],
      notes: ['run r2 is named as missing and not delivered yet'],
    });
    const late = stored(unsigned('r2', 5, 9, { previous: link(later) }));
    expect(verifyChain([first, later, late])).toEqual({ faults: [], notes: [] });
  });
});
