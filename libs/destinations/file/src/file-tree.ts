import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { failureOf } from '@delivery/destinations/driver';

/** `.<name>.<16 hex digits>.unfinished`, beside the file it will become: one rename makes it visible. */
export const UNFINISHED = /^\.(.+)\.[0-9a-f]{16}\.unfinished$/s;

/** Ascending by UTF-8 bytes, as object stores list. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * The paths below `root`, relative and with "/", of all regular files whose path begins with `prefix`; one folder in
 * memory at a time. A folder that does not exist is empty.
 *
 * @param sortKey what a name is sorted and matched by; a folder's ends with "/"
 */
export async function* walk(root: string, prefix: string, folder = ''): AsyncGenerator<string> {
  const entries = await readFolder(join(root, folder));
  const names = entries.filter((entry) => entry.isDirectory() || entry.isFile()).map(nameOf);
  for (const name of names.sort(byBytes)) {
    const path = folder + name;
    if (name.endsWith('/')) {
      // Only folders on the way to the prefix, or below it.
      if (path.startsWith(prefix) || prefix.startsWith(path)) yield* walk(root, prefix, path);
    } else if (path.startsWith(prefix) || UNFINISHED.test(name)) {
      yield path;
    }
  }
}

function nameOf(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

async function readFolder(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (failureOf(error).code === 'ENOENT') return [];
    throw error;
  }
}
