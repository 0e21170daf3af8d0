import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { SecretsError } from './errors';
import type { SigningConfig } from './signing.config';

/** Signs the manifests of deliveries with Ed25519 (RFC 8032: deterministic, the same bytes give the same signature). */
export class ManifestSigner {
  readonly algorithm = 'Ed25519';
  /** Base64 of the public key's SPKI DER form: what a reader needs to verify. */
  readonly publicKey: string;
  /** The first 16 hexadecimal digits of the SHA-256 of the public key's SPKI DER form. */
  readonly keyId: string;

  private constructor(private readonly key: KeyObject) {
    this.publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
    this.keyId = publicKeyId(this.publicKey);
  }

  /** @throws SecretsError `invalid_key` */
  static fromConfig(config: Pick<SigningConfig, 'manifestSigningKey'>): ManifestSigner {
    return new ManifestSigner(readPrivateKey(config.manifestSigningKey));
  }

  /** @returns base64 of the 64 bytes of the signature */
  sign(bytes: Uint8Array): string {
    return sign(null, bytes, this.key).toString('base64');
  }
}

/**
 * @param publicKey - base64 of the SPKI DER form
 * @param signature - base64
 * @returns false also for a key or signature that is none
 */
export function verifySignature(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, Buffer.from(signature, 'base64'));
  } catch {
    // Unreadable is as good as forged: the answer to "may I trust this?" is no.
    return false;
  }
}

/** The name a manifest gives its key by. @param publicKey - base64 of the SPKI DER form */
export function publicKeyId(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

/** A new private key in the form of `MANIFEST_SIGNING_KEY`. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}

function readPrivateKey(text: string): KeyObject {
  try {
    const key = createPrivateKey({ key: Buffer.from(text, 'base64'), type: 'pkcs8', format: 'der' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // OpenSSL's words ("DECODER routines::unsupported") help nobody.
  }
  throw new SecretsError('invalid_key', 'MANIFEST_SIGNING_KEY is not an Ed25519 private key in PKCS#8 DER form');
}
