import fc from 'fast-check';
import { generateNamedKey, KeyRing, parseNamedKeys, SecretsError } from './index';

const a = generateNamedKey('2026a');
const b = generateNamedKey('2026b');
const ring = KeyRing.fromConfig({ keys: [b, a] });
const place = ['integration', 'acme', 'i1', 'sealed_credentials'];

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SecretsError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describe('KeyRing', () => {
  it('opens what it sealed, whatever it was and wherever it belongs', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(fc.string()), (bytes, boundTo) => {
        const secret = Buffer.from(bytes);
        expect(ring.openBytes(ring.seal(secret, boundTo), boundTo).equals(secret)).toBe(true);
      }),
    );
    expect(ring.open(ring.seal('grüße', place), place)).toBe('grüße');
  });

  it('never gives the same text twice, and shows neither secret nor key', () => {
    const sealed = ring.seal('CANARY', place);
    expect(ring.seal('CANARY', place)).not.toBe(sealed);
    expect(sealed).toMatch(/^v1\.2026b\.[\w-]{16}\.[\w-]+$/);
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain('CANARY');
  });

  it.each([
    ['table', ['bucket', 'acme', 'i1', 'sealed_credentials']],
    ['organization', ['integration', 'other', 'i1', 'sealed_credentials']],
    ['row', ['integration', 'acme', 'i2', 'sealed_credentials']],
    ['column', ['integration', 'acme', 'i1', 'properties']],
    ['split', ['integrationacme', 'i1', 'sealed_credentials']],
  ])('does not open in another %s', (_, elsewhere) => {
    expect(codeOf(() => ring.open(ring.seal('x', place), elsewhere))).toBe('not_authentic');
  });

  it('notices every changed bit', () => {
    const sealed = ring.seal('secret', place);
    const [format, keyId, nonce, body] = sealed.split('.');
    const flip = (text = '', bit: number) => {
      const bytes = Buffer.from(text, 'base64url');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes.toString('base64url');
    };
    for (let bit = 0; bit < 96; bit += 1) {
      expect(codeOf(() => ring.open([format, keyId, flip(nonce, bit), body].join('.'), place))).toBe('not_authentic');
    }
    for (let bit = 0; bit < 22 * 8; bit += 1) {
      expect(codeOf(() => ring.open([format, keyId, nonce, flip(body, bit)].join('.'), place))).toBe('not_authentic');
    }
    expect(codeOf(() => ring.open([format, '2026a', nonce, body].join('.'), place))).toBe('not_authentic');
  });

  it('rotates: the first key seals, all open, and what is old is told', () => {
    const before = KeyRing.fromConfig({ keys: [a] });
    const old = before.seal('secret', place);
    expect(ring.open(old, place)).toBe('secret');
    expect(ring.needsResealing(old)).toBe(true);
    expect(before.needsResealing(old)).toBe(false);
    const again = ring.seal(ring.open(old, place), place);
    expect(ring.needsResealing(again)).toBe(false);
    expect(codeOf(() => before.open(again, place))).toBe('unknown_key');
  });

  it.each([
    '',
    'v1',
    'v1.2026b..',
    'v2.2026b.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA',
    'v1.k.AAAA.AAAA',
    'a.b.c.d.e',
  ])('refuses %j as malformed', (text) => {
    expect(codeOf(() => ring.open(text, place))).toBe('malformed');
    expect(codeOf(() => ring.needsResealing(text))).toBe('malformed');
  });
});

describe('parseNamedKeys', () => {
  it.each([
    ['none', []],
    ['no name', ['CANARYCANARY']],
    ['short', [`k:${Buffer.alloc(31).toString('base64')}`]],
    ['long', [`k:${Buffer.alloc(33).toString('base64')}`]],
    ['same name', [generateNamedKey('k'), generateNamedKey('k')]],
  ])('refuses %s without showing it', (_, items) => {
    expect(codeOf(() => parseNamedKeys(items))).toBe('invalid_key');
    expect(() => parseNamedKeys(items)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching('CANARY') }),
    );
  });
});
