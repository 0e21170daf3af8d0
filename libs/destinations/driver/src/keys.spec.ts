import { posix } from 'node:path';
import fc from 'fast-check';
import type { DestinationDriver } from './driver';
import { DestinationError } from './errors';
import { assertKey, confineKeys, keyFault } from './keys';

/** Records what reaches the driver below the wrapper. */
function recordingDriver(log: string[]): DestinationDriver {
  return {
    kind: 'file',
    check: async () => undefined,
    createObject: async (key) => {
      log.push(key);
      return { write: async () => undefined, finish: async () => ({ bytes: 0 }), abort: async () => undefined };
    },
    putObject: async (key) => void log.push(key),
    deleteObject: async (key) => void log.push(key),
    abortUnfinished: async ({ keyPrefix, uploads }) => {
      log.push(keyPrefix, ...uploads.map((upload) => upload.key));
      return 0;
    },
    close: async () => undefined,
  };
}

const { signal } = new AbortController();
const options = { contentType: 'text/plain', signal };

describe('keyFault', () => {
  it.each([
    ['', 'is empty'],
    ['/a', 'begins with "/"'],
    ['a/', 'ends with "/"'],
    ['a//b', 'contains an empty segment'],
    ['a/../b', 'contains a "." or ".." segment'],
    ['..', 'contains a "." or ".." segment'],
    ['a/./b', 'contains a "." or ".." segment'],
    ['a\\b', 'contains a backslash'],
    ['a\nb', 'contains a control character'],
    ['a\u0000b', 'contains a control character'],
    ['a\u0085b', 'contains a control character'],
    ['a\ud800b', 'is not valid Unicode'],
    ['é'.repeat(513), 'is longer than 1024 bytes'],
  ])('refuses %j', (key, fault) => {
    expect(keyFault(key)).toBe(fault);
    expect(() => assertKey(key)).toThrow(`The object key ${fault}. Change the layout of the export.`);
  });

  it.each(['a', 'data/export-id=58g9gnu3b5/date=2026-11-23/users/x-1.json.gz', '..a/b..', 'é'.repeat(512), '~ a+b'])(
    'accepts %j',
    (key) => {
      expect(keyFault(key)).toBeUndefined();
    },
  );
});

describe('confineKeys', () => {
  it('lets no key reach the driver that lies outside of the prefix once a path is resolved', async () => {
    const segment = fc.constantFrom('..', '.', '', 'a', 'tenant', 'a\\..\\b', '%2e%2e', ' ', '\u0000');
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { maxLength: 6 }), async (segments) => {
        const log: string[] = [];
        const driver = confineKeys(recordingDriver(log), 'tenant/');
        await driver.putObject(segments.join('/'), new Uint8Array(), options).catch((error: unknown) => {
          expect(error).toBeInstanceOf(DestinationError);
        });
        for (const key of log) expect(posix.normalize(`/bucket/${key}`)).toMatch(/^\/bucket\/tenant\/[^/]/);
      }),
    );
  });

  it('guards every operation, also the keys of uploads to abort', async () => {
    const log: string[] = [];
    const driver = confineKeys(recordingDriver(log), 'tenant/');
    const outside = { key: 'other/x', uploadId: '1' };
    const refused = [
      driver.createObject('other/x', options),
      driver.putObject('tenant', new Uint8Array(), options),
      driver.deleteObject('tenant/../x', signal),
      driver.abortUnfinished({ keyPrefix: '', uploads: [], signal }),
      driver.abortUnfinished({ keyPrefix: 'tenant/', uploads: [outside], signal }),
    ];
    for (const call of refused) await expect(call).rejects.toMatchObject({ code: 'invalid_key', retryable: false });
    expect(log).toEqual([]);

    await driver.putObject('tenant/x', new Uint8Array(), options);
    await driver.abortUnfinished({ keyPrefix: 'tenant/run', uploads: [{ key: 'tenant/y', uploadId: '1' }], signal });
    expect(log).toEqual(['tenant/x', 'tenant/run', 'tenant/y']);
  });

  it.each(['/a/', 'a', '../', 'a//'])('refuses the prefix %j', (prefix) => {
    expect(() => confineKeys(recordingDriver([]), prefix)).toThrow(DestinationError);
  });
});
