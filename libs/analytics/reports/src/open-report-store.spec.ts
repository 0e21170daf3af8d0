import { ConfigError, loadConfig } from '@delivery/platform/config';
import { openReportStore, reportObjectKey } from './open-report-store';
import { ReportStoreConfig } from './report-store.config';

/** What each driver would be given. */
const opened = (env: NodeJS.ProcessEnv) =>
  openReportStore<unknown>(loadConfig(ReportStoreConfig, env), {
    file: async (file) => ({ file }),
    s3: async (s3) => ({ s3 }),
    gcs: async (gcs) => ({ gcs }),
  });

function faults(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(ReportStoreConfig, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ variable }) => variable);
  }
}

describe('the report store', () => {
  it('is a folder unless something else is said', async () => {
    expect(await opened({})).toEqual({ file: { root: '/var/lib/consent-delivery/reports', prefix: '' } });
    expect(await opened({ REPORT_STORE_DIR: '/mnt/r', REPORT_STORE_PREFIX: 'a/b=c/' })).toEqual({
      file: { root: '/mnt/r', prefix: 'a/b=c/' },
    });
  });

  it('is a bucket in S3, with the identity of the process', async () => {
    const env = { REPORT_STORE_KIND: 's3', REPORT_STORE_BUCKET: 'acme-reports', AWS_REGION: 'eu-west-1' };
    const place = { bucket: 'acme-reports', prefix: '', region: 'eu-west-1', requestTimeoutMs: 120_000 };
    expect(await opened(env)).toEqual({ s3: { ...place, credentials: { kind: 'platform' } } });
    const account = { AWS_ACCOUNT_ID: '999999999999', REPORT_STORE_REQUEST_SECONDS: '7' };
    expect(await opened({ ...env, ...account })).toMatchObject({
      s3: { expectedBucketOwner: '999999999999', requestTimeoutMs: 7_000 },
    });
  });

  it('is a bucket of another S3 server, with its keys', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'secret', S3_ENDPOINT: 'http://127.0.0.1:9000' };
    const env = { REPORT_STORE_KIND: 's3', REPORT_STORE_BUCKET: 'reports', AWS_REGION: 'us-east-1', ...keys };
    expect(await opened(env)).toMatchObject({
      s3: {
        credentials: { kind: 'keys', accessKeyId: 'local', secretAccessKey: 'secret' },
        endpoint: 'http://127.0.0.1:9000',
        forcePathStyle: true,
      },
    });
  });

  it('is a bucket of Cloud Storage, with a key or on a local server', async () => {
    const env = { REPORT_STORE_KIND: 'gcs', REPORT_STORE_BUCKET: 'reports' };
    const place = { bucket: 'reports', prefix: '', requestTimeoutMs: 120_000 };
    expect(await opened({ ...env, REPORT_STORE_GCS_KEY: '{}' })).toEqual({ gcs: { ...place, key: '{}' } });
    const endpoint = 'http://127.0.0.1:14443';
    expect(await opened({ ...env, GCS_ENDPOINT: endpoint })).toEqual({ gcs: { ...place, key: undefined, endpoint } });
  });

  it.each([
    [{ REPORT_STORE_KIND: 'ftp' }, ['REPORT_STORE_KIND', 'REPORT_STORE_BUCKET']],
    [{ REPORT_STORE_DIR: 'reports' }, ['REPORT_STORE_DIR']],
    [{ REPORT_STORE_KIND: 's3' }, ['REPORT_STORE_BUCKET', 'AWS_REGION']],
    [{ REPORT_STORE_KIND: 'gcs', REPORT_STORE_BUCKET: 'reports' }, ['REPORT_STORE_GCS_KEY']],
    [{ REPORT_STORE_PREFIX: 'reports' }, ['REPORT_STORE_PREFIX']],
    [{ REPORT_STORE_PREFIX: '../' }, ['REPORT_STORE_PREFIX']],
    [{ REPORT_STORE_PREFIX: 'a//b/' }, ['REPORT_STORE_PREFIX']],
    [{ REPORT_STORE_PREFIX: '/a/' }, ['REPORT_STORE_PREFIX']],
    [{ AWS_ACCESS_KEY_ID: 'k' }, ['AWS_SECRET_ACCESS_KEY']],
  ])('is refused when it is not whole: %j', (env, variables) => {
    expect(faults(env)).toEqual(variables);
  });

  it('has the files of an analytics id in a folder of its own', () => {
    const key = { organizationId: 'acme', analyticsId: 'dem0' };
    expect(reportObjectKey({ prefix: 'x/' }, key, 'f.csv')).toBe('x/analytics/acme/dem0/f.csv');
  });
});
