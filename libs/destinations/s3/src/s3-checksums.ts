import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** S3 writes a CRC32 as the base64 of its four bytes, most significant first. */
export function encodeCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

/** @param before the CRC32 of the bytes in front of these */
export function crc32Of(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

export interface StoredAnswer {
  ETag?: string | undefined;
  ChecksumCRC32?: string | undefined;
  ServerSideEncryption?: string | undefined;
}

/**
 * Compares what the store says it has with what was sent: by CRC32 where the store computes one, else by the MD5 that
 * an ETag is unless the store encrypts with its own keys.
 *
 * @throws Error that `mapS3Error` knows
 */
export function assertBytesStored(sent: { bytes: Uint8Array; crc32: string }, answer: StoredAnswer): void {
  assertETag(answer);
  if (answer.ChecksumCRC32 !== undefined) {
    if (answer.ChecksumCRC32 !== sent.crc32) throw mismatch('CRC32', sent.crc32, answer.ChecksumCRC32);
    return;
  }
  const md5 = md5OfETag(answer);
  if (md5 === undefined) return;
  const expected = createHash('md5').update(sent.bytes).digest('hex');
  if (md5 !== expected) throw mismatch('ETag', expected, md5);
}

/** The ETag of an object made of these parts, or `undefined` if it cannot be told from them. */
export function multipartETag(parts: readonly StoredAnswer[]): string | undefined {
  const hash = createHash('md5');
  for (const part of parts) {
    const md5 = md5OfETag(part);
    if (md5 === undefined) return undefined;
    hash.update(Buffer.from(md5, 'hex'));
  }
  return `${hash.digest('hex')}-${parts.length}`;
}

/** As {@link assertBytesStored}, for a whole multipart object. */
export function assertObjectStored(
  sent: { crc32: string; parts: readonly StoredAnswer[] },
  answer: StoredAnswer,
): void {
  assertETag(answer);
  // A composite checksum ("…-3") is of the parts' checksums, which were each compared already.
  if (answer.ChecksumCRC32 !== undefined && !answer.ChecksumCRC32.includes('-')) {
    if (answer.ChecksumCRC32 !== sent.crc32) throw mismatch('CRC32', sent.crc32, answer.ChecksumCRC32);
    return;
  }
  const expected = multipartETag(sent.parts);
  const given = unquoted(answer.ETag ?? '');
  if (expected === undefined || answer.ServerSideEncryption?.startsWith('aws:kms')) return;
  if (given !== expected) throw mismatch('ETag', expected, given);
}

/**
 * S3 names the ETag of everything it stores. What comes without one is not its answer, whatever the status: a proxy's
 * page, or a completion that failed after the 200 was sent and was cut, or told in other words than the SDK looks for.
 */
function assertETag({ ETag }: StoredAnswer): void {
  if (ETag !== undefined) return;
  throw Object.assign(new Error('the answer does not say what was stored'), { name: 'NoETag' });
}

function md5OfETag(answer: StoredAnswer): string | undefined {
  const etag = unquoted(answer.ETag ?? '');
  const encrypted = answer.ServerSideEncryption?.startsWith('aws:kms') === true;
  return !encrypted && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined;
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}

function mismatch(what: string, expected: string, given: string): Error {
  return Object.assign(new Error(`${what} ${given} instead of ${expected}`), { name: 'ChecksumMismatch' });
}
