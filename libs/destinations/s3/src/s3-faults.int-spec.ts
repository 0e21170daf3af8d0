import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import type { RetryEvent } from '@delivery/destinations/driver';
import { localS3, sampleBytes, startFaultProxy, type Fault, type FaultProxy } from '@delivery/destinations/testing';
import { openS3Destination } from './open-s3-destination';
import { openS3Reader } from './open-s3-reader';
import { MIN_PART_BYTES, type S3DestinationOptions } from './s3-options';

const idle = new AbortController().signal;
const type = { contentType: 'application/gzip', signal: idle };
const bytes = sampleBytes(2 * MIN_PART_BYTES + 11);

const isCreate = ({ method, url }: Request): boolean => method === 'POST' && url.includes('uploads');
const isPart = ({ method, url }: Request): boolean => method === 'PUT' && url.includes('partNumber');
const isComplete = ({ method, url }: Request): boolean => method === 'POST' && url.includes('uploadId');
const isPut = ({ method, url }: Request): boolean => method === 'PUT' && !url.includes('partNumber');
interface Request {
  method: string;
  url: string;
}

describe('S3 driver behind a failing network', () => {
  let proxy: FaultProxy;
  let client: S3Client;
  let options: S3DestinationOptions;
  let bucket: string;
  beforeAll(async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = localS3();
    bucket = `faults-${randomUUID()}`;
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    proxy = await startFaultProxy(endpoint);
    options = {
      bucket,
      region,
      endpoint: proxy.endpoint,
      forcePathStyle: true,
      credentials: { kind: 'keys', accessKeyId, secretAccessKey },
      partSizeBytes: MIN_PART_BYTES,
      requestTimeoutMs: 3000,
    };
  });
  afterAll(async () => {
    proxy.inject();
    const driver = await openS3Destination(options);
    const reader = await openS3Reader(options);
    for await (const { key } of reader.list('', idle)) await driver.deleteObject(key, idle);
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    await driver.close();
    await reader.close();
    await proxy.close();
    client.destroy();
  });
  afterEach(() => proxy.inject());

  const unfinished = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  const upload = async (key: string, tries = 5) => {
    const retries: RetryEvent[] = [];
    const driver = await openS3Destination(options, {
      policy: { tries, baseMs: 1, capMs: 2 },
      onRetry: (event) => retries.push(event),
    });
    const writer = await driver.createObject(key, type);
    let failure: unknown;
    try {
      await writer.write(bytes);
      await writer.finish();
    } catch (error) {
      failure = error;
    }
    return { driver, writer, failure, retries };
  };
  const stored = async (key: string): Promise<Buffer | undefined> => {
    proxy.inject();
    const reader = await openS3Reader(options);
    const stream = await reader.read(key, idle);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream ?? []) chunks.push(chunk);
    await reader.close();
    return stream === undefined ? undefined : Buffer.concat(chunks);
  };

  const faults: [string, Fault, (request: Request) => boolean][] = [
    ['500 to a part', { kind: 'answer', status: 500 }, isPart],
    ['503 to a part', { kind: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' }, isPart],
    ['a reset during a part', { kind: 'reset' }, isPart],
    ['the lost answer to a part', { kind: 'answer_lost' }, isPart],
    ['a wrong ETag of a part', { kind: 'header', name: 'x-amz-checksum-crc32', value: 'AAAAAA==' }, isPart],
    ['500 to the completion', { kind: 'answer', status: 500 }, isComplete],
    ['a reset at the completion', { kind: 'reset' }, isComplete],
    ['the lost answer to the completion', { kind: 'answer_lost' }, isComplete],
    ['a completion cut short', { kind: 'answer_cut', bytes: 20 }, isComplete],
  ];
  it.each(faults)('delivers the object whole in spite of %s', async (name, fault, matches) => {
    const key = `survived/${name}`;
    proxy.inject({ fault, matches, times: 2 });
    const { failure, driver, retries } = await upload(key);
    expect(failure).toBeUndefined();
    expect(retries.length).toBeGreaterThan(0);
    expect((await stored(key))?.equals(bytes)).toBe(true);
    expect(await unfinished()).toEqual([]);
    await driver.close();
  });

  it.each(faults.slice(0, 4))('gives up after the last try of %s and leaves nothing', async (name, fault, matches) => {
    const key = `given-up/${name}`;
    proxy.inject({ fault, matches, times: Infinity });
    const { failure, driver, writer } = await upload(key, 3);
    expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining(bucket) });
    proxy.inject();
    await writer.abort();
    expect(await stored(key)).toBeUndefined();
    expect(await unfinished()).toEqual([]);
    await driver.close();
  });

  it('stops a part that hangs, and aborts it, when the caller gives up', async () => {
    proxy.inject({ fault: { kind: 'hold' }, matches: isPart, times: Infinity });
    const controller = new AbortController();
    const driver = await openS3Destination(options);
    const writer = await driver.createObject('hanging', { ...type, signal: controller.signal });
    const writing = writer.write(Buffer.concat([bytes, bytes]));
    await proxy.waitForHeld(2);
    controller.abort();
    await expect(writing).rejects.toMatchObject({ code: 'aborted' });
    proxy.release();
    await writer.abort();
    expect(await unfinished()).toEqual([]);
    await driver.close();
  });

  it('finds by listing what an attempt left whose request for an upload was answered into the void', async () => {
    proxy.inject({ fault: { kind: 'answer_lost' }, matches: isCreate, times: Infinity });
    const { failure, driver, writer } = await upload('orphaned/a', 2);
    expect(failure).toMatchObject({ code: 'connection_lost' });
    proxy.inject();
    await writer.abort();
    expect(await unfinished()).toHaveLength(2);
    await expect(driver.abortUnfinished({ keyPrefix: 'orphaned/', uploads: [], signal: idle })).resolves.toBe(2);
    expect(await unfinished()).toEqual([]);
    await driver.close();
  });

  it('rejects the abort, which can be repeated, while the store cannot be reached', async () => {
    const driver = await openS3Destination(options, { policy: { tries: 2, baseMs: 1, capMs: 1 } });
    const writer = await driver.createObject('unreachable', type);
    await writer.write(bytes);
    proxy.inject({ fault: { kind: 'reset' }, matches: ({ method }) => method === 'DELETE', times: Infinity });
    await expect(writer.abort()).rejects.toMatchObject({ code: 'connection_lost' });
    proxy.inject();
    await writer.abort();
    expect(await unfinished()).toEqual([]);
    await driver.close();
  });

  it('reports small objects as written only when they are', async () => {
    proxy.inject({ fault: { kind: 'reset' }, matches: isPut, times: 1 });
    const driver = await openS3Destination(options, { policy: { tries: 2, baseMs: 1, capMs: 1 } });
    await driver.putObject('_SUCCESS', new Uint8Array(), type);
    expect((await stored('_SUCCESS'))?.byteLength).toBe(0);
    await driver.close();
  });
});
