import type { DestinationDriver } from './driver';
import { DestinationError } from './errors';
import { meterDriver } from './meter';

const { signal } = new AbortController();

function failingDriver(): DestinationDriver {
  const denied = (): Promise<never> => Promise.reject(new DestinationError('access_denied', 'No.'));
  return {
    kind: 's3',
    check: denied,
    createObject: async () => ({
      write: async () => undefined,
      finish: async () => ({ bytes: 42 }),
      abort: () => Promise.reject(new Error('a bug')),
    }),
    putObject: async () => undefined,
    deleteObject: async () => undefined,
    abortUnfinished: async () => 3,
    close: async () => undefined,
  };
}

describe('meterDriver', () => {
  it('reports each call with its outcome and duration, and the bytes that became visible', async () => {
    const log: string[] = [];
    let clock = 0;
    const driver = meterDriver(
      failingDriver(),
      {
        onCall: ({ kind, operation, outcome, seconds }) => log.push(`${kind} ${operation} ${outcome} ${seconds}`),
        onDelivered: (kind, bytes) => log.push(`${kind} delivered ${bytes}`),
      },
      () => (clock += 500),
    );
    const options = { contentType: 'text/plain', signal };
    const writer = await driver.createObject('a', options);
    await writer.write(new Uint8Array(42));
    await expect(writer.finish()).resolves.toEqual({ bytes: 42 });
    await driver.putObject('b', new Uint8Array(7), options);
    await expect(driver.check(signal)).rejects.toMatchObject({ code: 'access_denied' });
    await expect(writer.abort()).rejects.toThrow('a bug');
    expect(log).toEqual([
      's3 create_object ok 0.5',
      's3 write ok 0.5',
      's3 finish ok 0.5',
      's3 delivered 42',
      's3 put_object ok 0.5',
      's3 delivered 7',
      's3 check access_denied 0.5',
      's3 abort unexpected 0.5',
    ]);
  });
});
