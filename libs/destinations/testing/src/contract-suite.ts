import { createCipheriv, createHash } from 'node:crypto';
import {
  DestinationError,
  PROBE_NAME,
  type DestinationDriver,
  type DestinationReader,
  type UploadRef,
} from '@delivery/destinations/driver';

/** One driver together with what the suite needs to look at the store behind it. */
export interface DriverUnderTest {
  driver: DestinationDriver;
  reader: DestinationReader;
  /** All keys of the suite lie below it; ends with "/", empty at the beginning. */
  prefix: string;
  /** The driver's part size, `undefined` if it has none. */
  partBytes: number | undefined;
  /** Ids of the uploads that the store keeps unfinished below the prefix, `undefined` if no store can tell. */
  unfinished: (() => Promise<string[]>) | undefined;
  /** A driver for a bucket or folder that does not exist. */
  openMissing: () => Promise<DestinationDriver>;
  /** A driver whose store answers no upload of bytes until `release`; with how many it has in flight at most. */
  openHanging:
    | (() => Promise<{
        driver: DestinationDriver;
        partsInFlight: number;
        waitForUploads: (count: number) => Promise<void>;
        release: () => void;
      }>)
    | undefined;
  close: () => Promise<void>;
}

const idle = new AbortController().signal;
const type = { contentType: 'application/octet-stream' };

/** Bytes that differ at every offset and for every seed, so that a swapped or repeated part is noticed. */
export function sampleBytes(length: number, seed = 1): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The promises of `DestinationDriver`, tried against a real store. Every driver has to pass all of them. */
export function describeDriverContract(name: string, start: () => Promise<DriverUnderTest>): void {
  describe(`driver contract: ${name}`, () => {
    let under: DriverUnderTest;
    let store: StoreView;
    beforeAll(async () => {
      under = await start();
      store = viewOf(() => under);
    });
    afterAll(async () => under.close());
    afterEach(async () => store.clear());

    describeWriting(
      () => under,
      () => store,
    );
    describeAborting(
      () => under,
      () => store,
    );
    describeRefusals(
      () => under,
      () => store,
    );
  });
}

interface StoreView {
  keys: () => Promise<string[]>;
  read: (key: string) => Promise<Buffer | undefined>;
  unfinished: () => Promise<string[]>;
  write: (key: string, bytes: Uint8Array, chunkBytes?: number) => Promise<number>;
  clear: () => Promise<void>;
}

function viewOf(current: () => DriverUnderTest): StoreView {
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of current().reader.list(current().prefix, idle)) found.push(key);
    return found;
  };
  return {
    keys,
    read: async (key) => {
      const stream = await current().reader.read(key, idle);
      if (stream === undefined) return undefined;
      const chunks: Uint8Array[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    unfinished: async () => (await current().unfinished?.()) ?? [],
    write: async (key, bytes, chunkBytes = 64 * 1024) => {
      const writer = await current().driver.createObject(key, { ...type, signal: idle });
      for (let at = 0; at < bytes.byteLength; at += chunkBytes) await writer.write(bytes.subarray(at, at + chunkBytes));
      return (await writer.finish()).bytes;
    },
    clear: async () => {
      const { driver, prefix } = current();
      for (const key of await keys()) await driver.deleteObject(key, idle);
      await driver.abortUnfinished({ keyPrefix: prefix, uploads: [], signal: idle });
    },
  };
}

type Current<T> = () => T;

function describeWriting(under: Current<DriverUnderTest>, store: Current<StoreView>): void {
  it.each(['0', '1', 'part-1', 'part', 'part+1', '2 parts', '3 parts+7'])(
    'delivers an object of %s bytes',
    async (size) => {
      const part = under().partBytes ?? 100_000;
      const sizes: Record<string, number> = {
        '0': 0,
        '1': 1,
        'part-1': part - 1,
        part,
        'part+1': part + 1,
        '2 parts': 2 * part,
        '3 parts+7': 3 * part + 7,
      };
      const bytes = sampleBytes(sizes[size] ?? 0);
      const key = `${under().prefix}sizes/${size.replace(/\W/g, '_')}.json.gz`;
      await expect(store().write(key, bytes, 777_777)).resolves.toBe(bytes.byteLength);

      const stored = await store().read(key);
      expect(stored?.byteLength).toBe(bytes.byteLength);
      expect(digest(stored ?? Buffer.alloc(0))).toBe(digest(bytes));
      const listed: { key: string; bytes: number }[] = [];
      for await (const entry of under().reader.list(key, idle)) listed.push(entry);
      expect(listed).toEqual([{ key, bytes: bytes.byteLength }]);
      expect(await store().unfinished()).toEqual([]);
    },
  );

  it('takes over what it is given: the caller may reuse the memory of a chunk', async () => {
    const key = `${under().prefix}reused`;
    const writer = await under().driver.createObject(key, { ...type, signal: idle });
    const chunk = Buffer.alloc(1000);
    for (let round = 0; round < 5; round += 1) {
      chunk.fill(round);
      await writer.write(chunk);
    }
    await writer.write(new Uint8Array());
    await writer.finish();
    const expected = Buffer.concat(Array.from({ length: 5 }, (_, round) => Buffer.alloc(1000, round)));
    expect(digest((await store().read(key)) ?? Buffer.alloc(0))).toBe(digest(expected));
  });

  it('shows nothing of an object before it is finished, and replaces an older one in one step', async () => {
    const key = `${under().prefix}replaced`;
    const older = sampleBytes(1000, 2);
    const newer = sampleBytes((under().partBytes ?? 100_000) * 2 + 5, 3);
    await under().driver.putObject(key, older, { ...type, signal: idle });

    const writer = await under().driver.createObject(key, { ...type, signal: idle });
    await writer.write(newer);
    expect(digest((await store().read(key)) ?? Buffer.alloc(0))).toBe(digest(older));
    await writer.finish();
    expect(digest((await store().read(key)) ?? Buffer.alloc(0))).toBe(digest(newer));
    // Aborting what is finished takes nothing back.
    await writer.abort();
    expect(digest((await store().read(key)) ?? Buffer.alloc(0))).toBe(digest(newer));
  });

  it('writes small objects whole, also empty ones and over existing ones', async () => {
    const key = `${under().prefix}_SUCCESS`;
    await under().driver.putObject(key, sampleBytes(500), { ...type, signal: idle });
    await under().driver.putObject(key, new Uint8Array(), { ...type, signal: idle });
    expect((await store().read(key))?.byteLength).toBe(0);
  });

  it('writes several objects at once', async () => {
    const contents = [1, 2, 3].map((seed) => sampleBytes(300_000 + seed, seed));
    await Promise.all(contents.map((bytes, index) => store().write(`${under().prefix}at-once-${index}`, bytes)));
    for (const [index, bytes] of contents.entries()) {
      expect(digest((await store().read(`${under().prefix}at-once-${index}`)) ?? Buffer.alloc(0))).toBe(digest(bytes));
    }
  });

  it('keeps keys as they are', async () => {
    const keys = ['date=2026-11-23/a b+c%20d.json', 'ünï/日本.json', "q'&?#x;=,@:.json"].map(
      (key) => under().prefix + key,
    );
    for (const key of keys) await under().driver.putObject(key, Buffer.from(key), { ...type, signal: idle });
    for (const key of keys) expect((await store().read(key))?.toString()).toBe(key);
    expect((await store().keys()).sort()).toEqual([...keys].sort());
  });

  it('makes the caller wait when the store does not keep up', async () => {
    const { openHanging, partBytes, prefix } = under();
    if (openHanging === undefined || partBytes === undefined) return;
    const { driver, partsInFlight, waitForUploads, release } = await openHanging();
    const writer = await driver.createObject(`${prefix}slow`, { ...type, signal: idle });
    const bytes = sampleBytes((partsInFlight + 1) * partBytes);
    await writer.write(bytes);
    await waitForUploads(partsInFlight);
    let accepted = false;
    const waiting = writer.write(sampleBytes(1, 9)).then(() => (accepted = true));
    await new Promise(setImmediate);
    expect(accepted).toBe(false);
    release();
    await waiting;
    await expect(writer.finish()).resolves.toEqual({ bytes: bytes.byteLength + 1 });
    await driver.close();
  });
}

function describeAborting(under: Current<DriverUnderTest>, store: Current<StoreView>): void {
  const begin = async (
    key: string,
    signal = idle,
  ): Promise<{ writer: Awaited<ReturnType<DestinationDriver['createObject']>>; uploads: UploadRef[] }> => {
    const uploads: UploadRef[] = [];
    const started = Promise.withResolvers<void>();
    const onUploadStarted = async (upload: UploadRef): Promise<void> => {
      uploads.push(upload);
      started.resolve();
    };
    const writer = await under().driver.createObject(key, { ...type, signal, onUploadStarted });
    await writer.write(sampleBytes((under().partBytes ?? 100_000) * 2 + 5));
    await started.promise;
    return { writer, uploads };
  };

  it('leaves nothing behind an aborted object, however often it is aborted', async () => {
    const { writer } = await begin(`${under().prefix}aborted`);
    await writer.abort();
    await writer.abort();
    expect(await store().keys()).toEqual([]);
    expect(await store().unfinished()).toEqual([]);
    await expect(writer.write(sampleBytes(1))).rejects.toBeInstanceOf(DestinationError);
    await expect(writer.finish()).rejects.toBeInstanceOf(DestinationError);
    expect(await store().keys()).toEqual([]);
  });

  it('keeps the older object when a newer one is aborted', async () => {
    const key = `${under().prefix}kept`;
    await under().driver.putObject(key, Buffer.from('older'), { ...type, signal: idle });
    const { writer } = await begin(key);
    await writer.abort();
    expect((await store().read(key))?.toString()).toBe('older');
  });

  it('aborts an object that was never written to', async () => {
    const writer = await under().driver.createObject(`${under().prefix}untouched`, { ...type, signal: idle });
    await writer.abort();
    expect(await store().keys()).toEqual([]);
  });

  it('stops when the signal is aborted, and can still be cleaned up', async () => {
    const controller = new AbortController();
    const { writer } = await begin(`${under().prefix}stopped`, controller.signal);
    controller.abort();
    await expect(writer.write(sampleBytes(10))).rejects.toMatchObject({ code: 'aborted', retryable: false });
    await expect(writer.finish()).rejects.toMatchObject({ code: 'aborted' });
    await writer.abort();
    expect(await store().keys()).toEqual([]);
    expect(await store().unfinished()).toEqual([]);
  });

  it('tells the id of an upload before its first byte, and aborts it when that cannot be noted down', async () => {
    const failure = new Error('the run row could not be written');
    const attempt = async (): Promise<void> => {
      const writer = await under().driver.createObject(`${under().prefix}unnoted`, {
        ...type,
        signal: idle,
        onUploadStarted: () => Promise.reject(failure),
      });
      try {
        await writer.write(sampleBytes((under().partBytes ?? 100_000) * 2 + 5));
        await writer.finish();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    };
    await expect(attempt()).rejects.toBe(failure);
    expect(await store().keys()).toEqual([]);
    expect(await store().unfinished()).toEqual([]);
  });

  it('sweeps the uploads of a process that died, by their ids and by what the store lists, and only those', async () => {
    const { driver, prefix, unfinished } = under();
    const noted = await begin(`${prefix}run-1/a`);
    const listed = await begin(`${prefix}run-1/b`);
    const other = await begin(`${prefix}run-2/c`);
    expect(noted.uploads).toHaveLength(1);
    expect(noted.uploads[0]?.key).toBe(`${prefix}run-1/a`);

    const uploads = unfinished === undefined ? [...noted.uploads, ...listed.uploads] : noted.uploads;
    await expect(driver.abortUnfinished({ keyPrefix: `${prefix}run-1/`, uploads, signal: idle })).resolves.toBe(2);
    if (unfinished !== undefined)
      expect(await store().unfinished()).toEqual(other.uploads.map((upload) => upload.uploadId));
    // The second attempt repeats the sweep; what is gone is fine.
    await driver.abortUnfinished({ keyPrefix: `${prefix}run-1/`, uploads, signal: idle });

    await expect(other.writer.finish()).resolves.toMatchObject({ bytes: expect.any(Number) });
    expect(await store().keys()).toEqual([`${prefix}run-2/c`]);
    for (const { writer } of [noted, listed]) await writer.abort();
  });

  it('does not let a writer finish whose upload was swept', async () => {
    const { driver, prefix, unfinished } = under();
    if (unfinished === undefined) return;
    const { writer, uploads } = await begin(`${prefix}zombie`);
    await driver.abortUnfinished({ keyPrefix: `${prefix}zombie`, uploads, signal: idle });
    // Not the code: moto answers 500 to a part of an upload that is gone.
    await expect(writer.finish()).rejects.toMatchObject({ retryable: true });
    await writer.abort();
    expect(await store().keys()).toEqual([]);
  });
}

function describeRefusals(under: Current<DriverUnderTest>, store: Current<StoreView>): void {
  it('checks the destination and leaves nothing behind', async () => {
    await under().driver.check(idle);
    await under().driver.check(idle);
    expect((await store().keys()).filter((key) => key.includes(PROBE_NAME))).toEqual([]);
    expect(await store().unfinished()).toEqual([]);
  });

  it('removes objects, and does not mind absent ones', async () => {
    const key = `${under().prefix}removed`;
    await under().driver.putObject(key, Buffer.from('x'), { ...type, signal: idle });
    await under().driver.deleteObject(key, idle);
    await under().driver.deleteObject(key, idle);
    expect(await store().keys()).toEqual([]);
    await expect(under().reader.read(key, idle)).resolves.toBeUndefined();
  });

  it('says that the bucket does not exist, whatever is tried', async () => {
    const driver = await under().openMissing();
    const key = `${under().prefix}x`;
    const missing = { code: 'bucket_not_found', retryable: false };
    await expect(driver.check(idle)).rejects.toMatchObject(missing);
    await expect(driver.putObject(key, Buffer.from('x'), { ...type, signal: idle })).rejects.toMatchObject(missing);
    const write = async (): Promise<void> => {
      const writer = await driver.createObject(key, { ...type, signal: idle });
      await writer.write(sampleBytes((under().partBytes ?? 1000) * 2));
      await writer.finish();
    };
    await expect(write()).rejects.toMatchObject(missing);
    await driver.close();
  });

  it.each(['', '/a', 'a//b', 'a/../../b', '../a', 'a/', 'a\u0000b', 'a\\b', 'x'.repeat(1025)])(
    'refuses the key %j before it reaches the store',
    async (key) => {
      const { driver } = under();
      const invalid = { code: 'invalid_key', retryable: false };
      await expect(driver.putObject(key, new Uint8Array(), { ...type, signal: idle })).rejects.toMatchObject(invalid);
      await expect(driver.createObject(key, { ...type, signal: idle })).rejects.toMatchObject(invalid);
      await expect(driver.deleteObject(key, idle)).rejects.toMatchObject(invalid);
    },
  );

  it('begins nothing under an aborted signal', async () => {
    const signal = AbortSignal.abort();
    const aborted = { code: 'aborted', retryable: false };
    const key = `${under().prefix}never`;
    await expect(under().driver.check(signal)).rejects.toMatchObject(aborted);
    await expect(under().driver.createObject(key, { ...type, signal })).rejects.toMatchObject(aborted);
    await expect(under().driver.putObject(key, Buffer.from('x'), { ...type, signal })).rejects.toMatchObject(aborted);
    await expect(under().driver.deleteObject(key, signal)).rejects.toMatchObject(aborted);
    expect(await store().keys()).toEqual([]);
  });

  it('lists in order, page by page, and only below the prefix', async () => {
    const { driver, prefix, reader } = under();
    const keys = ['b/2', 'b/10', 'b', 'a/z', 'c']
      .map((key) => `${prefix}list/${key}`)
      .filter((key) => !key.endsWith('/b'));
    for (const key of keys) await driver.putObject(key, Buffer.from('x'), { ...type, signal: idle });
    const found: string[] = [];
    for await (const { key } of reader.list(`${prefix}list/b`, idle)) found.push(key);
    expect(found).toEqual([`${prefix}list/b/10`, `${prefix}list/b/2`]);
  });
}
