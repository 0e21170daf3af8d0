import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SecretsError } from './errors';
import { type NamedKey, parseNamedKeys } from './named-keys';
import type { SecretsConfig } from './secrets.config';

const ALGORITHM = 'aes-256-gcm';
/** The size GCM is defined for; at random, one key is good for 2^32 sealings (NIST SP 800-38D §8.3). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1';

/**
 * Seals secrets for storage: AES-256-GCM under the first of several keys, bound to the place they are stored at, so
 * that a sealed text copied into another row, column or organization does not open.
 * A sealed text is `v1.<key name>.<nonce>.<cipher text and tag>`, the last two in base64url.
 */
export class KeyRing {
  private readonly byId: ReadonlyMap<string, Buffer>;

  private constructor(
    private readonly current: NamedKey,
    all: readonly NamedKey[],
  ) {
    this.byId = new Map(all.map(({ id, key }) => [id, key]));
  }

  /** @throws SecretsError `invalid_key` */
  static fromConfig(config: Pick<SecretsConfig, 'keys'>): KeyRing {
    const keys = parseNamedKeys(config.keys);
    const [current] = keys;
    if (current === undefined) throw new SecretsError('invalid_key', 'there is no key');
    return new KeyRing(current, keys);
  }

  /**
   * @param boundTo - the place: table, organization, row id, column; {@link open} needs the same
   * @returns text that is different each time, also for the same secret
   */
  seal(plaintext: string | Buffer, boundTo: readonly string[]): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.current.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(place(boundTo));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return [FORMAT, this.current.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
  }

  /** Opens what {@link seal} made of a text. @throws SecretsError as {@link openBytes} */
  open(sealed: string, boundTo: readonly string[]): string {
    return this.openBytes(sealed, boundTo).toString('utf8');
  }

  /**
   * @throws SecretsError `malformed`; `unknown_key` when its key was taken out of the ring; `not_authentic` when it
   *   was changed or belongs to another place
   */
  openBytes(sealed: string, boundTo: readonly string[]): Buffer {
    const { keyId, nonce, body } = parse(sealed);
    const key = this.byId.get(keyId);
    if (key === undefined) {
      throw new SecretsError(
        'unknown_key',
        `sealed under key ${keyId}, which is not configured: add it to SECRETS_KEYS`,
      );
    }
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(place(boundTo));
    decipher.setAuthTag(body.subarray(-TAG_BYTES));
    const start = decipher.update(body.subarray(0, -TAG_BYTES));
    try {
      return Buffer.concat([start, decipher.final()]);
    } catch (error) {
      throw new SecretsError(
        'not_authentic',
        `a sealed secret was changed or moved, or SECRETS_KEYS has another key than before under the name ${keyId}`,
        { cause: error },
      );
    }
  }

  /** Whether it was sealed under another key than the first: open and seal it again, then the old key can go. */
  needsResealing(sealed: string): boolean {
    return parse(sealed).keyId !== this.current.id;
  }
}

/** JSON keeps the parts apart: `['a', 'bc']` and `['ab', 'c']` are different places. */
function place(boundTo: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(boundTo), 'utf8');
}

function parse(sealed: string): { keyId: string; nonce: Buffer; body: Buffer } {
  const [format, keyId, nonceText, bodyText, ...rest] = sealed.split('.');
  const nonce = Buffer.from(nonceText ?? '', 'base64url');
  const body = Buffer.from(bodyText ?? '', 'base64url');
  const fits = format === FORMAT && rest.length === 0 && nonce.length === NONCE_BYTES && body.length >= TAG_BYTES;
  if (!fits || keyId === undefined) throw new SecretsError('malformed', 'this is not a sealed secret');
  return { keyId, nonce, body };
}
