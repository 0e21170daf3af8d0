import { createHmac, timingSafeEqual } from 'node:crypto';
import type { NamedKey } from '@delivery/platform/secrets';

/** One file of one organization, and whose key the link was made for. */
export interface LinkedFile {
  readonly organizationId: string;
  readonly analyticsId: string;
  readonly file: string;
  readonly keyId: string;
}

/** What stands in a link's query. */
export interface LinkQuery {
  readonly expires?: unknown;
  readonly for?: unknown;
  readonly key?: unknown;
  readonly signature?: unknown;
}

export type LinkCheck = 'good' | 'expired' | 'wrong';

const SIGNATURE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Links to files that this service hands out itself: HMAC-SHA256 over the file, its owner, the end of its time and whom
 * it was made for. A link to one file says nothing about any other.
 */
export class FileLinks {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly newest: NamedKey;

  constructor(
    private readonly publicUrl: string,
    keys: readonly NamedKey[],
  ) {
    const [newest] = keys;
    if (newest === undefined) throw new TypeError('there is no key to sign links with');
    this.newest = newest;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  /** @param expires - seconds since 1970 */
  link(linked: LinkedFile, expires: number): string {
    const { id, key } = this.newest;
    const query = new URLSearchParams({
      expires: String(expires),
      for: linked.keyId,
      key: id,
      signature: signatureOf(key, linked, String(expires), id),
    });
    const { organizationId, analyticsId, file } = linked;
    return `${this.publicUrl}/download/files/${organizationId}/${analyticsId}/${file}?${query}`;
  }

  /** @param now - seconds since 1970 */
  check(file: Omit<LinkedFile, 'keyId'>, query: LinkQuery, now: number): LinkCheck {
    const { expires, for: keyId, key: id, signature } = query;
    if (typeof expires !== 'string' || typeof keyId !== 'string' || typeof id !== 'string') return 'wrong';
    if (typeof signature !== 'string' || !SIGNATURE.test(signature) || !/^\d{1,12}$/.test(expires)) return 'wrong';
    const key = this.keys.get(id);
    if (key === undefined) return 'wrong';
    // As texts: several texts of base64 mean the same bytes.
    const wanted = Buffer.from(signatureOf(key, { ...file, keyId }, expires, id));
    if (!timingSafeEqual(Buffer.from(signature), wanted)) return 'wrong';
    return Number(expires) > now ? 'good' : 'expired';
  }
}

/** Each part has its length before it: no two links are signed by the same text. */
function signatureOf(key: Buffer, linked: LinkedFile, expires: string, id: string): string {
  const parts = ['download v1', linked.organizationId, linked.analyticsId, linked.file, linked.keyId, expires, id];
  return createHmac('sha256', key)
    .update(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''))
    .digest('base64url');
}
