import { createHash, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigError, loadConfig, Section } from '@delivery/platform/config';
import {
  generateNamedKey,
  generateSigningKey,
  ManifestSigner,
  publicKeyId,
  SecretsConfig,
  SigningConfig,
  verifySignature,
} from './index';

// RFC 8032 §7.1, test 2: the secret key behind the DER header, its public key, and the signature of one byte.
const RFC_KEY = Buffer.from(
  '302e020100300506032b657004220420' + '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  'hex',
).toString('base64');
const RFC_PUBLIC = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const RFC_SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
  '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

describe('ManifestSigner', () => {
  it('signs as RFC 8032 says', () => {
    const signer = ManifestSigner.fromConfig({ manifestSigningKey: RFC_KEY });
    const spki = Buffer.from(signer.publicKey, 'base64');
    expect(spki.subarray(-32).toString('hex')).toBe(RFC_PUBLIC);
    expect(Buffer.from(signer.sign(Buffer.from([0x72])), 'base64').toString('hex')).toBe(RFC_SIGNATURE);
    expect(signer.keyId).toBe(createHash('sha256').update(spki).digest('hex').slice(0, 16));
    expect(publicKeyId(signer.publicKey)).toBe(signer.keyId);
  });

  it('is verified with the public key alone, and only for these bytes and this key', () => {
    const privateKey = generateSigningKey();
    const signer = ManifestSigner.fromConfig({ manifestSigningKey: privateKey });
    const other = ManifestSigner.fromConfig({ manifestSigningKey: generateSigningKey() });
    const bytes = Buffer.from('{"a":1}');
    const signature = signer.sign(bytes);
    expect(verifySignature(signer.publicKey, bytes, signature)).toBe(true);
    expect(verifySignature(signer.publicKey, Buffer.from('{"a":2}'), signature)).toBe(false);
    expect(verifySignature(other.publicKey, bytes, signature)).toBe(false);
    expect(verifySignature(signer.publicKey, bytes, signature.slice(0, 20))).toBe(false);
    expect(verifySignature('no key', bytes, signature)).toBe(false);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(verifySignature(rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), bytes, '')).toBe(
      false,
    );
    expect(JSON.stringify(signer) + inspect(signer, { depth: 9 })).not.toContain(privateKey.slice(22));
  });

  it('refuses another kind of key', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const text = rsa.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    expect(() => ManifestSigner.fromConfig({ manifestSigningKey: text })).toThrow('is not an Ed25519 private key');
    expect(() => ManifestSigner.fromConfig({ manifestSigningKey: '?' })).toThrow('is not an Ed25519 private key');
  });
});

describe('SecretsConfig and SigningConfig', () => {
  class Both {
    @Section(SecretsConfig)
    secrets: SecretsConfig;

    @Section(SigningConfig)
    signing: SigningConfig;
  }

  it('accept what the generators make', () => {
    const env = {
      SECRETS_KEYS: `${generateNamedKey('b')}, ${generateNamedKey('a')}`,
      MANIFEST_SIGNING_KEY: generateSigningKey(),
    };
    expect(loadConfig(Both, env).secrets.keys).toHaveLength(2);
  });

  it('report what is wrong without showing it', () => {
    const key = generateNamedKey('same');
    const canary = generateNamedKey('CANARY').slice(0, -4);
    for (const env of [
      { SECRETS_KEYS: canary, MANIFEST_SIGNING_KEY: `CANARY${generateSigningKey()}` },
      { SECRETS_KEYS: `${key},${key}`, MANIFEST_SIGNING_KEY: '' },
    ]) {
      const load = () => loadConfig(Both, env);
      expect(load).toThrow(ConfigError);
      expect(load).toThrow(
        expect.objectContaining({
          message: expect.not.stringMatching(`CANARY|${key.slice(5, 20).replace(/[+/]/g, '.')}`),
          faults: [
            expect.objectContaining({ variable: 'SECRETS_KEYS' }),
            expect.objectContaining({ variable: 'MANIFEST_SIGNING_KEY' }),
          ],
        }),
      );
    }
  });
});
