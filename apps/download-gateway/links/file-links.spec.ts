import { generateNamedKey, parseNamedKeys } from '@delivery/platform/secrets';
import { FileLinks, type LinkedFile, type LinkQuery } from './file-links';

const [old, current, foreign] = parseNamedKeys([
  generateNamedKey('old'),
  generateNamedKey('new'),
  generateNamedKey('x'),
]);
const url = 'https://downloads.example.org/reports';
const linked: LinkedFile = {
  organizationId: 'acme',
  analyticsId: 'shops',
  file: 'interaction-2026-01-01-000000000000.csv',
  keyId: 'key-1',
};
const END = 2_000_000_000;

function ring(...keys: readonly (typeof old)[]): FileLinks {
  return new FileLinks(
    url,
    keys.filter((key) => key !== undefined),
  );
}

function queryOf(link: string): LinkQuery & Record<string, unknown> {
  return Object.fromEntries(new URL(link).searchParams);
}

describe('FileLinks', () => {
  const links = ring(current, old);
  const link = links.link(linked, END);
  const query = queryOf(link);

  it('lead to the file below the public URL, for their time', () => {
    expect(link).toMatch(`${url}/download/files/acme/shops/${linked.file}?`);
    expect(links.check(linked, query, END - 1)).toBe('good');
    expect(links.check(linked, query, END)).toBe('expired');
  });

  it.each<[string, Partial<LinkedFile>]>([
    ['file', { file: 'interaction-2026-01-01-000000000001.csv' }],
    ['analytics id', { analyticsId: 'other' }],
    ['organization', { organizationId: 'globex' }],
    // The same text, cut at another place.
    ['place of the cut', { organizationId: 'acm', analyticsId: 'eshops' }],
  ])('are not good for another %s', (_, other) => {
    expect(links.check({ ...linked, ...other }, query, END - 1)).toBe('wrong');
  });

  it.each<[string, Record<string, unknown>]>([
    ['end', { expires: String(END + 1) }],
    ['end in another form', { expires: `0${END}` }],
    ['end that is no number', { expires: 'Infinity' }],
    ['end twice', { expires: [String(END), String(END + 1)] }],
    ['key of the client', { for: 'key-2' }],
    ['signing key', { key: 'old' }],
    ['signing key of nobody', { key: '__proto__' }],
    ['signature', { signature: 'A'.repeat(43) }],
    ['signature in base64', { signature: `${'A'.repeat(43)}=` }],
    ['shorter signature', { signature: 'AAAA' }],
    ['signature missing', { signature: undefined }],
  ])('are not good with another %s', (_, changed) => {
    expect(links.check(linked, { ...query, ...changed }, END - 1)).toBe('wrong');
  });

  it('have one signature, and no other text that means the same bytes', () => {
    const given = String(query.signature);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const signature = `${given.slice(0, -1)}${alphabet[alphabet.indexOf(given.slice(-1)) ^ 1]}`;
    expect(Buffer.from(signature, 'base64url')).toEqual(Buffer.from(given, 'base64url'));
    expect(links.check(linked, { ...query, signature }, END - 1)).toBe('wrong');
  });

  it('live on while keys rotate, and end with the key that signed them', () => {
    const before = queryOf(ring(old).link(linked, END));
    expect(ring(old, current).check(linked, before, 0)).toBe('good');
    expect(ring(current, old).check(linked, before, 0)).toBe('good');
    expect(queryOf(ring(current, old).link(linked, END))).toMatchObject({ key: 'new' });
    expect(ring(current).check(linked, before, 0)).toBe('wrong');
    expect(ring(foreign).check(linked, { ...before, key: 'x' }, 0)).toBe('wrong');
  });

  it('need a key', () => {
    expect(() => ring()).toThrow('no key');
  });
});
