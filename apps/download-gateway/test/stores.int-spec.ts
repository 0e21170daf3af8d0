import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { reportFolder, shardFile } from '@delivery/analytics/domain';
import type { DestinationDriver } from '@delivery/destinations/driver';
import { openGcsDestination } from '@delivery/destinations/gcs';
import { openS3Destination } from '@delivery/destinations/s3';
import { localGcs, localS3 } from '@delivery/destinations/testing';
import { stackEnvironment } from '@delivery/platform/testing';
import { GatewayWorld } from './gateway-world';

const day = 'granular-2026-02-03';

interface Bucket {
  readonly name: string;
  readonly store: DestinationDriver;
  remove(): Promise<unknown>;
}

const buckets: Readonly<Record<'s3' | 'gcs', () => Promise<Bucket>>> = {
  s3: async () => {
    const name = `reports-${randomUUID()}`;
    const { endpoint, region, accessKeyId, secretAccessKey } = localS3(stackEnvironment());
    const credentials = { accessKeyId, secretAccessKey };
    const server = { endpoint, region, forcePathStyle: true };
    const client = new S3Client({ ...server, credentials: { ...credentials } });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    const store = await openS3Destination({ ...server, bucket: name, credentials: { kind: 'keys', ...credentials } });
    const remove = () => client.send(new DeleteBucketCommand({ Bucket: name })).finally(() => client.destroy());
    return { name, store, remove };
  },
  gcs: async () => {
    const name = `reports-${randomUUID()}`;
    const { endpoint } = localGcs(stackEnvironment());
    const headers = { 'content-type': 'application/json' };
    await fetch(`${endpoint}/storage/v1/b?project=local`, { method: 'POST', headers, body: JSON.stringify({ name }) });
    const local = { projectId: 'local', credentials: 'anonymous-local', endpoint } as const;
    const store = await openGcsDestination({ ...local, bucket: name });
    const remove = () => fetch(`${endpoint}/storage/v1/b/${name}`, { method: 'DELETE' });
    return { name, store, remove };
  },
};

it.each(['s3', 'gcs'] as const)('gives links to files in %s, which need no key', async (kind) => {
  const { name, store, remove } = await buckets[kind]();
  const world = await GatewayWorld.open({ REPORT_STORE_KIND: kind, REPORT_STORE_BUCKET: name }, store);
  try {
    await world.analyticsId('acme', 'mine');
    const key = await world.key('acme', 'mine');
    await world.report('acme', 'mine', day, [Buffer.from('one'), Buffer.from('two')]);
    const links = await world.links(`/download/v2/analytics/mine/${day}`, key);
    const answers = await Promise.all(links.map((link) => fetch(link)));
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['one', 'two']);
    if (kind === 's3') {
      const [first = ''] = links;
      expect(new URL(first).searchParams.get('X-Amz-Expires')).toBe('900');
      expect(answers[0]?.headers.get('content-disposition')).toBe(`attachment; filename="${shardFile(day, 0)}"`);
    }
    // There is nothing of the gateway's own to be followed.
    expect((await world.get(`/download/files/acme/mine/${shardFile(day, 0)}`)).status).toBe(404);
    const signal = new AbortController().signal;
    for (const n of [0, 1]) await store.deleteObject(reportFolder('acme', 'mine') + shardFile(day, n), signal);
  } finally {
    await world.close();
    await remove();
  }
});
