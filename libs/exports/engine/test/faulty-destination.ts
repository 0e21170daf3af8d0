import { basename } from 'node:path';
import type { DestinationDriver } from '@delivery/destinations/driver';

export type Action =
  | 'sweep'
  | `delete ${string}`
  | `create ${string}`
  | `write ${string}`
  | `finish ${string}`
  | `abort ${string}`
  | `put ${string}`;

/** Called before each action with how often it was called before; may wait or reject. */
export type Fault = (action: Action) => Promise<void> | void;

/** A driver that tells what is done to it, in order, and fails or waits where a test says. */
export function faultyDestination(
  driver: DestinationDriver,
  log: Action[],
  fault: Fault = () => undefined,
): DestinationDriver {
  const act = async <T>(action: Action, call: () => Promise<T>): Promise<T> => {
    await fault(action);
    log.push(action);
    return call();
  };
  return {
    kind: driver.kind,
    check: (signal) => driver.check(signal),
    createObject: (key, options) =>
      act(`create ${nameOf(key)}`, async () => {
        const writer = await driver.createObject(key, options);
        return {
          write: (chunk) => act(`write ${nameOf(key)}`, () => writer.write(chunk)),
          finish: () => act(`finish ${nameOf(key)}`, () => writer.finish()),
          abort: () => act(`abort ${nameOf(key)}`, () => writer.abort()),
        };
      }),
    putObject: (key, body, options) => act(`put ${nameOf(key)}`, () => driver.putObject(key, body, options)),
    deleteObject: (key, signal) => act(`delete ${nameOf(key)}`, () => driver.deleteObject(key, signal)),
    abortUnfinished: (options) => act('sweep', () => driver.abortUnfinished(options)),
    close: () => driver.close(),
  };
}

/** File names without the run, so that tests can write them down: `000000`, `manifest`, `_SUCCESS`. */
function nameOf(key: string): string {
  const name = basename(key);
  return name.startsWith('_manifest-') ? 'manifest' : (/-(\d{6})\./.exec(name)?.[1] ?? name);
}
