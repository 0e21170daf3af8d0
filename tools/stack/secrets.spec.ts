import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localSecrets } from './secrets';

describe('local secrets', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stack-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are made once per folder, for their owner only', () => {
    const first = localSecrets(dir);
    expect(localSecrets(dir)).toEqual(first);
    expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('have the form that the services expect', () => {
    const secrets = localSecrets(dir);
    for (const keys of [secrets.SECRETS_KEYS, secrets.AUTH_TOKEN_KEYS]) {
      const [id, key] = keys.split(':');
      expect(id).toBe('k1');
      expect(Buffer.from(key ?? '', 'base64')).toHaveLength(32);
    }
    const der = (text: string) => Buffer.from(text, 'base64');
    const key = createPrivateKey({ key: der(secrets.MANIFEST_SIGNING_KEY), format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey({ key: der(secrets.MANIFEST_PUBLIC_KEY), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyType).toBe('ed25519');
    const text = Buffer.from('manifest');
    expect(verify(null, text, publicKey, sign(null, text, key))).toBe(true);
  });
});
