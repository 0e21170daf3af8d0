import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDriverContract } from '@delivery/destinations/testing';
import { UNFINISHED, walk } from './file-tree';
import { openFileDestination } from './open-file-destination';
import { openFileReader } from './open-file-reader';

describeDriverContract('file', async () => {
  const root = await mkdtemp(join(tmpdir(), 'file-destination-'));
  const prefix = 'contract/';
  return {
    driver: await openFileDestination({ root, prefix }),
    reader: await openFileReader({ root }),
    prefix,
    partBytes: undefined,
    unfinished: async () => {
      const found: string[] = [];
      for await (const path of walk(root, '')) {
        const name = path.slice(path.lastIndexOf('/') + 1);
        if (UNFINISHED.test(name)) found.push(name);
      }
      return found;
    },
    openMissing: () => openFileDestination({ root: join(root, 'missing'), prefix }),
    openHanging: undefined,
    close: () => rm(root, { recursive: true, force: true }),
  };
});
