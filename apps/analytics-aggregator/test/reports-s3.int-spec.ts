import { createHash, randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { reportObjectKey, ReportStoreConfig } from '@delivery/analytics/reports';
import { shardFile } from '@delivery/analytics/domain';
import type { DestinationDriver, DestinationReader } from '@delivery/destinations/driver';
import { openS3Reader } from '@delivery/destinations/s3';
import { localS3 } from '@delivery/destinations/testing';
import { loadConfig } from '@delivery/platform/config';
import { Lifecycle } from '@delivery/platform/service';
import { stackEnvironment } from '@delivery/platform/testing';
import { openReportDestination } from '../reports/open-report-destination';
import { ReportRetention } from '../reports/report-retention';
import { ReportWorld } from './report-world';

describe('reports in S3', () => {
  const bucket = `reports-${randomUUID()}`;
  const signal = new AbortController().signal;
  let world: ReportWorld;
  let config: ReportStoreConfig;
  let store: DestinationDriver;
  let reader: DestinationReader;

  beforeAll(async () => {
    const env = stackEnvironment();
    const { endpoint, region, accessKeyId, secretAccessKey } = localS3(env);
    const credentials = () => ({ accessKeyId, secretAccessKey });
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: credentials() });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const place = { REPORT_STORE_KIND: 's3', REPORT_STORE_BUCKET: bucket, REPORT_STORE_PREFIX: 'delivery/reports/' };
    config = loadConfig(ReportStoreConfig, { ...env, ...place });
    store = await openReportDestination(config);
    const keys = { kind: 'keys', ...credentials() } as const;
    reader = await openS3Reader({ bucket, region, endpoint, forcePathStyle: true, credentials: keys });
    world = await ReportWorld.open();
  });
  afterAll(async () => {
    await world.reset();
    await world.close();
    await store.close();
    await reader.close();
  });

  async function text(key: string): Promise<string | undefined> {
    const chunks = await reader.read(key, signal);
    if (chunks === undefined) return undefined;
    let all = '';
    for await (const chunk of chunks) all += Buffer.from(chunk).toString();
    return all;
  }

  it('are where the configuration says, as their rows say, and are removed in time', async () => {
    await world.manyInteractions(5);
    const key = await world.plan('interaction-2026-02-27', { rowsPerShard: 2 });
    world.begin({ store, storePrefix: config.prefix });
    const report = await world.make(key);
    expect(report.shards.map(({ rows }) => rows)).toEqual([2, 2, 1]);
    for (const [n, shard] of report.shards.entries()) {
      const body = (await text(reportObjectKey(config, key, shardFile(key.prefix, n)))) ?? '';
      expect(createHash('sha256').update(body).digest('hex')).toBe(shard.sha256);
      expect(Buffer.byteLength(body)).toBe(shard.bytes);
    }
    const manifest = `delivery/reports/analytics/acme/${key.analyticsId}/_manifest-${key.prefix}.json`;
    expect(JSON.parse((await text(manifest)) ?? '')).toMatchObject({ totals: { files: 3, rows: 5 } });

    await world.db.query(`UPDATE analytics_report SET published_at = published_at - interval '2 days'`);
    const { deps } = world.deps({ store, storePrefix: config.prefix });
    await new ReportRetention(1, deps, new Lifecycle()).sweep(signal);
    const left: string[] = [];
    for await (const object of reader.list('', signal)) left.push(object.key);
    expect(left).toEqual([]);
  });
});
