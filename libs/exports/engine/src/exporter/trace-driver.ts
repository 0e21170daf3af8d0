import type { DestinationDriver, ObjectWriter } from '@delivery/destinations/driver';
import { detachedSpan, inSpan, type OpenSpan, tracing } from '@delivery/platform/tracing';

/** A span for every file from its first byte until it is durable, and for each small object. As it was, without tracing. */
export function traceDriver(driver: DestinationDriver): DestinationDriver {
  if (!tracing.on) return driver;
  const described = (key: string) => ({ 'delivery.destination': driver.kind, 'delivery.key': key });
  return {
    kind: driver.kind,
    check: (signal) => driver.check(signal),
    createObject: async (key, options) => {
      const span = detachedSpan('write file', { kind: 'client', attributes: described(key) });
      try {
        return traceWriter(await driver.createObject(key, options), span);
      } catch (error) {
        span.end(error);
        throw error;
      }
    },
    putObject: (key, body, options) =>
      inSpan('put object', { kind: 'client', attributes: { ...described(key), 'delivery.bytes': body.length } }, () =>
        driver.putObject(key, body, options),
      ),
    deleteObject: (key, signal) => driver.deleteObject(key, signal),
    abortUnfinished: (options) => driver.abortUnfinished(options),
    close: () => driver.close(),
  };
}

function traceWriter(writer: ObjectWriter, span: OpenSpan): ObjectWriter {
  let bytes = 0;
  const ending = async <T>(work: () => Promise<T>, failure?: Error): Promise<T> => {
    span.set({ 'delivery.bytes': bytes });
    try {
      const result = await work();
      span.end(failure);
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  };
  return {
    write: (chunk) => {
      bytes += chunk.length;
      return writer.write(chunk);
    },
    finish: () => ending(() => writer.finish()),
    abort: () => ending(() => writer.abort(), new Error('aborted')),
  };
}
