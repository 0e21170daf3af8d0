import type { DestinationDriver } from './driver';
import { DestinationError } from './errors';

/** S3 and GCS both limit a key to 1,024 bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/**
 * What is wrong with an object key, as the end of a sentence that begins with "The object key", or `undefined`.
 * Stricter than S3 and GCS: a key must also be harmless as a path on a disk, since owners copy buckets to disks.
 */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'is empty';
  return prefixFault(key) ?? (key.endsWith('/') ? 'ends with "/"' : undefined);
}

/** As {@link keyFault}, for the beginning of a key: it may be empty and may end with "/". */
export function prefixFault(prefix: string): string | undefined {
  if (!prefix.isWellFormed()) return 'is not valid Unicode';
  if (Buffer.byteLength(prefix) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  if (/\p{Cc}/u.test(prefix)) return 'contains a control character';
  if (prefix.includes('\\')) return 'contains a backslash';
  if (prefix.startsWith('/')) return 'begins with "/"';
  const segments = prefix.split('/');
  if (segments.slice(0, -1).includes('')) return 'contains an empty segment';
  // URL parsers take "%2e" for a dot: "%2e%2e" would climb in whatever copies the bucket by URL.
  if (segments.some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) return 'contains a "." or ".." segment';
  return undefined;
}

/** @throws DestinationError `invalid_key` */
export function assertKey(key: string): void {
  const fault = keyFault(key);
  if (fault !== undefined) throw invalidKey(`The object key ${fault}.`);
}

function invalidKey(message: string): DestinationError {
  return new DestinationError('invalid_key', `${message} Change the layout of the export.`);
}

/**
 * A driver that refuses every key which does not lie strictly below `prefix`. Keys are not rewritten: callers go on
 * using full keys, so that manifests, logs and buckets all show the same string.
 *
 * @param prefix a folder, ending with "/" (`''` confines to valid keys only)
 * @throws DestinationError `invalid_configuration` if the prefix itself is not valid
 */
export function confineKeys(driver: DestinationDriver, prefix: string): DestinationDriver {
  const fault = prefixFault(prefix) ?? (prefix === '' || prefix.endsWith('/') ? undefined : 'does not end with "/"');
  if (fault !== undefined) throw new DestinationError('invalid_configuration', `The destination's prefix ${fault}.`);

  const guard = (key: string): void => {
    assertKey(key);
    if (!key.startsWith(prefix)) throw invalidKey(`The object key lies outside of "${prefix}".`);
  };
  return {
    kind: driver.kind,
    check: (signal) => driver.check(signal),
    createObject: async (key, options) => {
      guard(key);
      return driver.createObject(key, options);
    },
    putObject: async (key, body, options) => {
      guard(key);
      return driver.putObject(key, body, options);
    },
    deleteObject: async (key, signal) => {
      guard(key);
      return driver.deleteObject(key, signal);
    },
    abortUnfinished: async (options) => {
      const prefixProblem = prefixFault(options.keyPrefix);
      if (prefixProblem !== undefined) throw invalidKey(`The key prefix ${prefixProblem}.`);
      if (!options.keyPrefix.startsWith(prefix)) throw invalidKey(`The key prefix lies outside of "${prefix}".`);
      for (const upload of options.uploads) guard(upload.key);
      return driver.abortUnfinished(options);
    },
    close: () => driver.close(),
  };
}
