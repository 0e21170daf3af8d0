import type { DestinationDriver, DestinationKind, ObjectWriter } from './driver';
import { DestinationError, type DestinationErrorCode } from './errors';

export type DriverOperation =
  'check' | 'create_object' | 'write' | 'finish' | 'abort' | 'put_object' | 'delete_object' | 'abort_unfinished';

/** Told about every call, so that an app can count and time them. Must not throw. */
export interface DriverObserver {
  /** One call ended. `write` includes the time the store made the caller wait. */
  onCall(call: {
    kind: DestinationKind;
    operation: DriverOperation;
    outcome: 'ok' | DestinationErrorCode | 'unexpected';
    seconds: number;
  }): void;
  /** Bytes of objects that became visible. */
  onDelivered(kind: DestinationKind, bytes: number): void;
}

/** A driver that reports each call to `observer` and otherwise behaves as the one it wraps. */
export function meterDriver(
  driver: DestinationDriver,
  observer: DriverObserver,
  now: () => number = () => performance.now(),
): DestinationDriver {
  const { kind } = driver;
  const timed = async <T>(operation: DriverOperation, call: () => Promise<T>): Promise<T> => {
    const begin = now();
    const report = (outcome: 'ok' | DestinationErrorCode | 'unexpected'): void =>
      observer.onCall({ kind, operation, outcome, seconds: (now() - begin) / 1000 });
    try {
      const result = await call();
      report('ok');
      return result;
    } catch (error) {
      report(error instanceof DestinationError ? error.code : 'unexpected');
      throw error;
    }
  };
  const meterWriter = (writer: ObjectWriter): ObjectWriter => ({
    write: (chunk) => timed('write', () => writer.write(chunk)),
    finish: async () => {
      const result = await timed('finish', () => writer.finish());
      observer.onDelivered(kind, result.bytes);
      return result;
    },
    abort: () => timed('abort', () => writer.abort()),
  });
  return {
    kind,
    check: (signal) => timed('check', () => driver.check(signal)),
    createObject: async (key, options) =>
      meterWriter(await timed('create_object', () => driver.createObject(key, options))),
    putObject: async (key, body, options) => {
      await timed('put_object', () => driver.putObject(key, body, options));
      observer.onDelivered(kind, body.byteLength);
    },
    deleteObject: (key, signal) => timed('delete_object', () => driver.deleteObject(key, signal)),
    abortUnfinished: (options) => timed('abort_unfinished', () => driver.abortUnfinished(options)),
    close: () => driver.close(),
  };
}
