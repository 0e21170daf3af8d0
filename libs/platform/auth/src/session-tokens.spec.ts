import { createHmac } from 'node:crypto';
import { generateNamedKey } from '@delivery/platform/secrets';
import { SessionTokens } from './session-tokens';

const [old, current] = [generateNamedKey('old'), generateNamedKey('new')];
const principal = { organizationId: 'acme', keyId: 'k1' };
const start = new Date('2026-11-23T10:00:00.500Z');

function tokens(tokenKeys: string[], at = start) {
  return SessionTokens.fromConfig({ tokenKeys, tokenLifetimeSeconds: 3600 }, () => at);
}

function later(seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}

function part(token: string, index: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());
}

function forge(header: object, payload: object, key: Buffer): string {
  const text = [header, payload].map((item) => Buffer.from(JSON.stringify(item)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

describe('SessionTokens', () => {
  it('are valid for their lifetime and say whose they are', async () => {
    const { token, session } = await tokens([current]).issue(principal);
    expect(await tokens([current], later(3599)).verify(token)).toEqual(session);
    expect(session).toMatchObject({ ...principal, issuedAt: new Date('2026-11-23T10:00:00Z') });
    expect(await tokens([current], later(3600)).verify(token)).toBe('expired');
    expect(part(token, 0)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'new' });
    expect(Object.keys(part(token, 1)).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'organization_id', 'sub']);
  });

  it('survive a rotation of keys', async () => {
    const { token } = await tokens([old]).issue(principal);
    expect(await tokens([current, old]).verify(token)).toMatchObject(principal);
    expect(part((await tokens([current, old]).issue(principal)).token, 0)).toMatchObject({ kid: 'new' });
    expect(await tokens([current]).verify(token)).toBe('invalid');
  });

  it('cannot be forged', async () => {
    const { token } = await tokens([current]).issue(principal);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const key = Buffer.from(current.slice('new:'.length), 'base64');
    const good = part(token, 1);
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'new' })).toString('base64url');
    const other = Buffer.from(JSON.stringify({ ...good, organization_id: 'other' })).toString('base64url');
    expect(await tokens([current]).verify(forge(part(token, 0), good, key))).toMatchObject(principal);
    for (const forged of [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${other}.${signature}`,
      forge({ alg: 'HS256', kid: 'new' }, good, Buffer.from(old.slice(4), 'base64')),
      forge({ alg: 'HS256' }, good, key),
      forge({ alg: 'HS256', kid: '__proto__' }, good, key),
      forge({ alg: 'HS256', kid: 'new' }, { ...good, aud: 'another' }, key),
      forge({ alg: 'HS256', kid: 'new' }, { ...good, iss: 'another' }, key),
      forge({ alg: 'HS256', kid: 'new' }, { ...good, organization_id: 7 }, key),
      forge({ alg: 'HS256', kid: 'new' }, { ...good, exp: undefined }, key),
      'a.b.c',
      '',
    ]) {
      expect(await tokens([current]).verify(forged)).toBe('invalid');
    }
  });
});
