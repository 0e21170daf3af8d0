import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import type { RetryEvent } from '@delivery/destinations/driver';
import {
  describeDriverFaults,
  localS3,
  sampleBytes,
  startFaultProxy,
  type Fault,
  type FaultProxy,
} from '@delivery/destinations/testing';
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

const xml = (code: string, status: number, behind = ''): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>told by the store</Message></Error>${behind}`,
});

describeDriverFaults('s3', async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = localS3();
  const bucket = `faults-${randomUUID()}`;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const proxy = await startFaultProxy(endpoint);
  const options: S3DestinationOptions = {
    bucket,
    region,
    endpoint,
    forcePathStyle: true,
    credentials: { kind: 'keys', accessKeyId, secretAccessKey },
    partSizeBytes: MIN_PART_BYTES,
  };
  const reader = await openS3Reader(options);
  return {
    proxy,
    open: (deps, requestTimeoutMs) =>
      openS3Destination({ ...options, endpoint: proxy.endpoint, requestTimeoutMs }, deps),
    reader,
    prefix: 'faults/',
    partBytes: MIN_PART_BYTES,
    bucket,
    requests: {
      begin: isCreate,
      part: isPart,
      finish: isComplete,
      put: isPut,
      remove: ({ method, url }) => method === 'DELETE' && !url.includes('uploadId'),
    },
    unfinished: async () => {
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return (Uploads ?? []).flatMap(({ UploadId }) => UploadId ?? []);
    },
    transient: {
      InternalError: xml('InternalError', 500),
      '500 without a body': { kind: 'answer', status: 500 },
      '502 of a load balancer': { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' },
      SlowDown: xml('SlowDown', 503),
      RequestTimeout: xml('RequestTimeout', 400),
      '429': { kind: 'answer', status: 429 },
      'an error with status 200': xml('InternalError', 200),
      // S3 sends blanks to keep a long completion's connection; the SDK looks at the very end only.
      'an error with status 200 and a blank behind it': xml('InternalError', 200, '\n'),
    },
    permanent: {
      AccessDenied: { fault: xml('AccessDenied', 403), code: 'access_denied', tells: /denied s3:\w+ to .*Allow it/ },
      '403 without a body': { fault: { kind: 'answer', status: 403 }, code: 'access_denied', tells: /Allow it/ },
      NoSuchBucket: { fault: xml('NoSuchBucket', 404), code: 'bucket_not_found', tells: /does not exist\. Create it/ },
      RequestTimeTooSkewed: {
        fault: xml('RequestTimeTooSkewed', 403),
        code: 'clock_skew',
        tells: /Set the host's clock/,
      },
      'KMS.DisabledException': {
        fault: xml('KMS.DisabledException', 400),
        code: 'kms_denied',
        tells: /Enable the key/,
      },
      InvalidAccessKeyId: {
        fault: xml('InvalidAccessKeyId', 403),
        code: 'credentials_invalid',
        tells: /Give the destination a valid, enabled key/,
      },
    },
    repeats: () => true,
    close: async () => {
      await reader.close();
      await proxy.close();
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
});

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

  it('delivers the object whole in spite of a wrong checksum of a part', async () => {
    const fault: Fault = { kind: 'header', name: 'x-amz-checksum-crc32', value: 'AAAAAA==' };
    proxy.inject({ fault, matches: isPart, times: 2 });
    const { failure, driver, retries } = await upload('survived');
    expect(failure).toBeUndefined();
    expect(retries).toMatchObject([{ code: 'checksum_mismatch' }, { code: 'checksum_mismatch' }]);
    expect((await stored('survived'))?.equals(bytes)).toBe(true);
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
});
