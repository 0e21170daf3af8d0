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
