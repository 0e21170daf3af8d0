import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { shardFile } from '@delivery/analytics/domain';
import {
  REPORT_STORE_KINDS,
  reportObjectKey,
  ReportStoreConfig,
  type ReportStoreKind,
} from '@delivery/analytics/reports';
import type { DestinationReader } from '@delivery/destinations/driver';
import { openFileReader } from '@delivery/destinations/file';
import { openGcsReader } from '@delivery/destinations/gcs';
import { openS3Reader } from '@delivery/destinations/s3';
import { localGcs, localS3 } from '@delivery/destinations/testing';
import { loadConfig } from '@delivery/platform/config';
import { Lifecycle } from '@delivery/platform/service';
import { stackEnvironment } from '@delivery/platform/testing';
import { openReportDestination } from '../reports/open-report-destination';
import { ReportRetention } from '../reports/report-retention';
import { ReportWorld } from './report-world';

/** An empty place of one kind: how it is configured, and read back by others. */
interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly reader: DestinationReader;
  remove(): Promise<unknown>;
}

const places: Readonly<Record<ReportStoreKind, () => Promise<Place>>> = {
  file: async () => {
    const root = await mkdtemp(join(tmpdir(), 'reports-'));
    const reader = await openFileReader({ root });
    return { env: { REPORT_STORE_DIR: root }, reader, remove: () => rm(root, { recursive: true }) };
  },
  s3: async () => {
    const bucket = `reports-${randomUUID()}`;
    const { endpoint, region, accessKeyId, secretAccessKey } = localS3(stackEnvironment());
    const credentials = { accessKeyId, secretAccessKey };
    const server = { endpoint, region, forcePathStyle: true };
    const client = new S3Client({ ...server, credentials: { ...credentials } });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const reader = await openS3Reader({ ...server, bucket, credentials: { kind: 'keys', ...credentials } });
    const remove = () => client.send(new DeleteBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
    return { env: { REPORT_STORE_BUCKET: bucket }, reader, remove };
  },
  gcs: async () => {
    const bucket = `reports-${randomUUID()}`;
    const { endpoint } = localGcs(stackEnvironment());
    const created = await fetch(`${endpoint}/storage/v1/b?project=local`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: bucket }),
    });
    if (!created.ok) throw new Error(`the bucket could not be created: HTTP ${created.status}`);
    const reader = await openGcsReader({ bucket, projectId: 'local', credentials: 'anonymous-local', endpoint });
    const remove = () => fetch(`${endpoint}/storage/v1/b/${bucket}`, { method: 'DELETE' });
    return { env: { REPORT_STORE_BUCKET: bucket }, reader, remove };
  },
};

describe('reports', () => {
  const signal = new AbortController().signal;
  let world: ReportWorld;
  beforeAll(async () => {
    world = await ReportWorld.open();
  });
  afterEach(() => world.reset());
  afterAll(() => world.close());

  async function textOf(reader: DestinationReader, key: string): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await reader.read(key, signal)) ?? []) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  async function keysIn(reader: DestinationReader): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of reader.list('', signal)) keys.push(key);
    return keys;
  }

  it.each(REPORT_STORE_KINDS)('in %s are where the configuration says, and are removed in time', async (kind) => {
    const { env, reader, remove } = await places[kind]();
    const settings = { REPORT_STORE_KIND: kind, REPORT_STORE_PREFIX: 'delivery/reports/' };
    const config = loadConfig(ReportStoreConfig, { ...stackEnvironment(), ...env, ...settings });
    const store = await openReportDestination(config);
    await store.check(signal);
    await world.manyInteractions(5);
    const key = await world.plan('interaction-2026-02-27', { rowsPerShard: 2 });
    world.begin({ store, storePrefix: config.prefix });
    const report = await world.make(key);
    expect(report.shards.map(({ rows }) => rows)).toEqual([2, 2, 1]);
    for (const [n, shard] of report.shards.entries()) {
      const text = await textOf(reader, reportObjectKey(config, key, shardFile(key.prefix, n)));
      expect(createHash('sha256').update(text).digest('hex')).toBe(shard.sha256);
      expect(Buffer.byteLength(text)).toBe(shard.bytes);
    }
    const folder = `delivery/reports/analytics/acme/${key.analyticsId}`;
    expect(await keysIn(reader)).toEqual([
      `${folder}/_manifest-${key.prefix}.json`,
      ...[0, 1, 2].map((n) => `${folder}/${shardFile(key.prefix, n)}`),
    ]);
    const manifest: unknown = JSON.parse(await textOf(reader, `${folder}/_manifest-${key.prefix}.json`));
    expect(manifest).toMatchObject({ totals: { files: 3, rows: 5 } });

    await world.db.query(`UPDATE analytics_report SET published_at = published_at - interval '2 days'`);
    const { deps } = world.deps({ store, storePrefix: config.prefix });
    await new ReportRetention(1, deps, new Lifecycle()).sweep(signal);
    expect(await keysIn(reader)).toEqual([]);
    await store.close();
    await reader.close();
    await remove();
  });
});
