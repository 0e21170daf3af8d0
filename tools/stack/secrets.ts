import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './state';

/** Secrets of the local stack only, made once per state folder; readable by their owner alone. */
export interface LocalSecrets {
  DATABASE_PASSWORD: string;
  /** `<key id>:<base64, 32 bytes>`, separated by commas; the first is the current one. */
  SECRETS_KEYS: string;
  AUTH_TOKEN_KEYS: string;
  DOWNLOAD_SIGNING_KEYS: string;
  /** Ed25519: PKCS#8 and SPKI, DER in base64. */
  MANIFEST_SIGNING_KEY: string;
  MANIFEST_PUBLIC_KEY: string;
}

export function localSecrets(dir: string): LocalSecrets {
  const path = join(dir, 'secrets.json');
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<LocalSecrets>) : {};
  const fresh = freshSecrets();
  // A folder of an earlier version lacks some.
  const complete = Object.keys(fresh).every((name) => name in kept);
  const secrets = { ...fresh, ...kept };
  if (!complete) writeWhole(path, JSON.stringify(secrets, null, 2), 0o600);
  return secrets;
}

function freshSecrets(): LocalSecrets {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    DATABASE_PASSWORD: randomBytes(18).toString('base64url'),
    SECRETS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AUTH_TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    DOWNLOAD_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    MANIFEST_SIGNING_KEY: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    MANIFEST_PUBLIC_KEY: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}
