import { basename } from 'node:path';
import type { DestinationDriver } from '@delivery/destinations/driver';

export type StoreAction = `${'create' | 'write' | 'finish' | 'put' | 'delete'} ${string}` | 'sweep';

/** A report store that waits or fails where a test says: `fault` is called before each action. */
export function faultyStore(
  store: DestinationDriver,
  fault: (action: StoreAction, signal: AbortSignal) => Promise<unknown> | void,
): DestinationDriver {
  return {
    kind: store.kind,
    check: (signal) => store.check(signal),
    createObject: async (key, options) => {
      await fault(`create ${basename(key)}`, options.signal);
      const writer = await store.createObject(key, options);
      return {
        write: async (chunk) => {
          await fault(`write ${basename(key)}`, options.signal);
          await writer.write(chunk);
        },
        finish: async () => {
          await fault(`finish ${basename(key)}`, options.signal);
          return writer.finish();
        },
        abort: () => writer.abort(),
      };
    },
    putObject: async (key, body, options) => {
      await fault(`put ${basename(key)}`, options.signal);
      await store.putObject(key, body, options);
    },
    deleteObject: async (key, signal) => {
      await fault(`delete ${basename(key)}`, signal);
      await store.deleteObject(key, signal);
    },
    abortUnfinished: async (options) => {
      await fault('sweep', options.signal);
      return store.abortUnfinished(options);
    },
    close: () => store.close(),
  };
}
