import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { ReportStoreConfig } from '@delivery/analytics/reports';
import { loadConfig } from '@delivery/platform/config';
import { generateNamedKey, parseNamedKeys } from '@delivery/platform/secrets';
import { ReportLinks } from './report-links';

it.each([
  ['http://127.0.0.1:8086', ''],
  ['https://example.org/downloads', '/downloads'],
])('clients reach paths of %s below "%s"', async (publicUrl, path) => {
  const keys = parseNamedKeys([generateNamedKey('k')]);
  const store = loadConfig(ReportStoreConfig, { REPORT_STORE_DIR: tmpdir() });
  const links = await ReportLinks.open({ store, publicUrl, keys, seconds: 60 });
  expect(links.publicPath).toBe(path);
});

it('are signed by the store, with the key that is configured', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const client_email = 'reports@acme.iam.gserviceaccount.com';
  const key = JSON.stringify({ type: 'service_account', client_email, private_key, project_id: 'acme' });
  const cloud = { REPORT_STORE_BUCKET: 'reports', REPORT_STORE_PREFIX: 'x/' };
  const keys = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  for (const [environment, host, expires] of [
    [{ ...cloud, REPORT_STORE_KIND: 'gcs', REPORT_STORE_GCS_KEY: key }, 'storage.googleapis.com', 'X-Goog-Expires'],
    [{ ...cloud, REPORT_STORE_KIND: 's3', ...keys }, 'reports.s3.eu-west-1.amazonaws.com', 'X-Amz-Expires'],
  ] as const) {
    const store = loadConfig(ReportStoreConfig, environment);
    const signing = parseNamedKeys([generateNamedKey('k')]);
    const links = await ReportLinks.open({ store, publicUrl: 'https://example.org', keys: signing, seconds: 900 });
    const file = 'interaction-2026-02-03-000000000000.csv';
    const link = new URL(await links.link({ organizationId: 'acme', analyticsId: 'mine', file, keyId: 'k' }));
    expect([link.host, link.searchParams.get(expires)]).toEqual([host, '900']);
    expect(link.pathname).toContain('/x/analytics/acme/mine/interaction-2026-02-03-000000000000.csv');
    // Of a large report: others have their turns meanwhile.
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 0);
    const names = Array.from({ length: 200 }, (_, n) => `f-${n}.csv`);
    const all = await links.linkAll(
      names.map((name) => ({ organizationId: 'acme', analyticsId: 'mine', file: name, keyId: 'k' })),
    );
    clearInterval(turning);
    expect(all.map((each) => new URL(each).pathname.split('/').at(-1))).toEqual(names);
    expect(turns).toBeGreaterThan(3);
    await links.close();
  }
});
