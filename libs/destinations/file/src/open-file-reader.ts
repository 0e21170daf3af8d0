import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  assertKey,
  checkOptions,
  failureOf,
  throwIfAborted,
  type DestinationReader,
} from '@delivery/destinations/driver';
import { mapFileError } from './file-errors';
import { UNFINISHED, walk } from './file-tree';
import { FileDestinationOptions } from './open-file-destination';

/** Reads a folder that a file destination, or a copy of a bucket, was written to. */
export async function openFileReader(given: FileDestinationOptions): Promise<DestinationReader> {
  const { root } = checkOptions(FileDestinationOptions, given, 'The file destination');
  return {
    list: (prefix, signal) => list(root, prefix, signal),
    read: async (key, signal) => {
      throwIfAborted(signal);
      assertKey(key);
      return read(join(root, key), signal);
    },
    close: async () => undefined,
  };
}

async function* list(
  root: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<{ key: string; bytes: number }> {
  try {
    // A reader of a root that does not exist must not report an empty delivery.
    await stat(root);
    for await (const key of walk(root, prefix)) {
      throwIfAborted(signal);
      if (UNFINISHED.test(basename(key))) continue;
      yield { key, bytes: (await stat(join(root, key))).size };
    }
  } catch (error) {
    throw mapFileError(error, join(root, prefix));
  }
}

async function read(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const file = await open(path, 'r');
    return readChunks(file.createReadStream({ signal }), path);
  } catch (error) {
    const errno = failureOf(error).code;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw mapFileError(error, path);
  }
}

async function* readChunks(stream: ReturnType<typeof createReadStream>, path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw mapFileError(error, path);
  }
}
