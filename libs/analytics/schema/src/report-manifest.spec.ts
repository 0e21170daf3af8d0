import { describeReport } from '@delivery/analytics/domain';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { reportManifestSchema } from './report-manifest.schema';

const validate = addFormats(new Ajv2020()).compile(reportManifestSchema);
const report = {
  organizationId: 'acme',
  analyticsId: 'dem0',
  settingsIds: ['s1'],
  aggregation: 'granular',
  frequency: 'monthly',
  firstDay: '2024-02-01',
  lastDay: '2024-02-29',
} as const;
const signature = { algorithm: 'Ed25519', key_id: '0123456789abcdef', value: 'AA==' };

describe('the schema of a report manifest', () => {
  const manifest = { ...describeReport(report, [{ bytes: 80, rows: 0, sha256: 'a'.repeat(64) }]), signature };

  it('describes what is written, every field of it', () => {
    expect([validate(manifest), validate.errors]).toEqual([true, null]);
    expect(Object.keys(reportManifestSchema.properties).sort()).toEqual(Object.keys(manifest).sort());
  });

  it.each(Object.keys(manifest))('refuses one without %s', (name) => {
    const others = Object.entries(manifest).filter(([field]) => field !== name);
    expect(validate(Object.fromEntries(others))).toBe(false);
  });

  it('refuses one without a file: an empty period has one, too', () => {
    expect(validate({ ...manifest, files: [] })).toBe(false);
  });
});
