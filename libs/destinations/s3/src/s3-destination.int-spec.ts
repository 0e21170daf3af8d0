import { CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { describeDriverContract, localS3, startFaultProxy } from '@delivery/destinations/testing';
import { openS3Destination } from './open-s3-destination';
import { openS3Reader } from './open-s3-reader';
import { MIN_PART_BYTES, type S3DestinationOptions } from './s3-options';

const prefix = 'contract/';
const deps = { policy: { tries: 3, baseMs: 1, capMs: 5 } };

describeDriverContract('s3', async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = localS3();
  const bucket = `contract-${randomUUID()}`;
  const options: S3DestinationOptions = {
    bucket,
    region,
    endpoint,
    forcePathStyle: true,
    credentials: { kind: 'keys', accessKeyId, secretAccessKey },
    partSizeBytes: MIN_PART_BYTES,
    prefix,
  };
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const proxy = await startFaultProxy(endpoint);
  const driver = await openS3Destination(options, deps);
  const reader = await openS3Reader(options);
  return {
    driver,
    reader,
    prefix,
    partBytes: MIN_PART_BYTES,
    unfinished: async () => {
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
      return (Uploads ?? []).flatMap(({ UploadId }) => UploadId ?? []);
    },
    openMissing: () => openS3Destination({ ...options, bucket: `missing-${randomUUID()}` }, deps),
    openHanging: async () => {
      const isPart = ({ method, url }: { method: string; url: string }) =>
        method === 'PUT' && url.includes('partNumber');
      proxy.inject({ fault: { kind: 'hold' }, matches: isPart, times: Infinity });
      return {
        driver: await openS3Destination({ ...options, endpoint: proxy.endpoint, partsInFlight: 2 }, deps),
        partsInFlight: 2,
        waitForUploads: (count) => proxy.waitForHeld(count),
        release: () => proxy.release(),
      };
    },
    close: async () => {
      await driver.close();
      await reader.close();
      await proxy.close();
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
});
