import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place to verify. `prefix` is the beginning of the keys to look at; a file place's root is the whole folder. */
export type Place =
  | { readonly kind: 's3' | 'gcs'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'file'; readonly root: string };

/** @throws UsageError */
export function parseBucketUrl(text: string): Place {
  const cloud = /^(s3|gs):\/\/([^/?#]+)(?:\/([^?#]*))?$/.exec(text);
  if (cloud !== null) {
    const [, scheme, bucket = '', prefix = ''] = cloud;
    return { kind: scheme === 's3' ? 's3' : 'gcs', bucket, prefix };
  }
  if (/^file:\/\//.test(text)) return { kind: 'file', root: fileRoot(text) };
  throw new UsageError(`"${text}" is no bucket: give s3://bucket/prefix, gs://bucket/prefix or file:///folder.`);
}

function fileRoot(text: string): string {
  try {
    const path = fileURLToPath(text);
    if (isAbsolute(path)) return path;
  } catch {
    // Said below in words of ours.
  }
  throw new UsageError(`"${text}" is no folder of this machine: give file:///folder.`);
}

/** What the caller of a command has to write differently. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
