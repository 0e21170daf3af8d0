import fc from 'fast-check';
import { CREDENTIAL_SCHEMES, type CredentialScheme, parseCredentials } from './credentials';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrMSJ9.c2ln';
const session = { kind: 'session', token: jwt };
const key = { kind: 'api-key', id: 'k1', secret: 's3cr-et_' };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('parseCredentials', () => {
  it.each<[CredentialScheme, Record<string, string>, Record<string, unknown>, unknown]>([
    ['bearer-session', { authorization: `Bearer ${jwt}` }, {}, session],
    ['bearer-session', { authorization: `bearer  ${jwt} ` }, {}, session],
    ['bearer-session', { authorization: 'Bearer k1.s3cr-et_' }, {}, 'malformed'],
    ['bearer-session', { authorization: jwt }, {}, 'malformed'],
    ['bearer-session', { authorization: 'Bearer' }, {}, 'malformed'],
    ['bearer-session', { authorization: '' }, {}, 'malformed'],
    ['bearer-session', {}, { apiKey: 'k1.s3cr-et_' }, 'absent'],
    ['bearer', { authorization: 'Bearer k1.s3cr-et_' }, {}, key],
    ['bearer', { authorization: `Bearer ${jwt}` }, {}, 'malformed'],
    ['x-api-key', { 'x-api-key': 'k1.s3cr-et_' }, {}, key],
    ['x-api-key', {}, { apiKey: 'k1.s3cr-et_' }, key],
    ['x-api-key', {}, { APIKEY: 'k1.s3cr-et_' }, key],
    ['x-api-key', { 'x-api-key': 'k1.s3cr-et_' }, { apiKey: 'other.secret' }, key],
    ['x-api-key', { 'x-api-key': 'nonsense' }, { apiKey: 'k1.s3cr-et_' }, 'malformed'],
    ['x-api-key', {}, { apiKey: ['k1.s3cr-et_', 'k1.s3cr-et_'] }, 'malformed'],
    ['x-api-key', {}, { apiKey: 'k1.s3cr-et_', apikey: 'k2.x' }, 'malformed'],
    ['x-api-key', { authorization: 'Bearer k1.s3cr-et_' }, {}, 'malformed'],
    ['app', { authorization: 'App k1.s3cr-et_' }, {}, key],
    ['app', { authorization: 'Bearer k1.s3cr-et_' }, {}, 'malformed'],
    ['basic', { authorization: basic('k1:s3cr-et_') }, {}, key],
    ['basic', { authorization: basic('k1:a:b') }, {}, { kind: 'api-key', id: 'k1', secret: 'a:b' }],
    ['basic', { authorization: basic('k1') }, {}, 'malformed'],
    ['basic', { authorization: basic('k1:') }, {}, 'malformed'],
    ['basic', { authorization: basic('k 1:x') }, {}, 'malformed'],
    ['raw', { authorization: 'k1.s3cr-et_' }, {}, key],
    ['raw', { authorization: 'Bearer k1.s3cr-et_' }, {}, 'malformed'],
    ['raw', { authorization: `k1.${'x'.repeat(5000)}` }, {}, 'malformed'],
  ])('%s: %j %j', (scheme, headers, query, expected) => {
    expect(parseCredentials(headers, query, [scheme])).toEqual(expected);
  });

  it('tells session and key apart when both may come as bearer', () => {
    const accepted = ['bearer', 'bearer-session'] as const;
    expect(parseCredentials({ authorization: `Bearer ${jwt}` }, {}, accepted)).toEqual(session);
    expect(parseCredentials({ authorization: 'Bearer k1.s3cr-et_' }, {}, accepted)).toEqual(key);
  });

  it('never throws, and never takes a way that is not accepted', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(`Bearer ${jwt}`, 'App a.b', 'a.b', basic('a:b')),
    );
    fc.assert(
      fc.property(texts, texts, fc.subarray([...CREDENTIAL_SCHEMES]), (authorization, apiKey, accepted) => {
        const found = parseCredentials({ authorization }, { apiKey }, accepted);
        if (accepted.length === 0) expect(typeof found).toBe('string');
        if (typeof found === 'object' && found.kind === 'session') expect(accepted).toContain('bearer-session');
      }),
    );
  });
});
