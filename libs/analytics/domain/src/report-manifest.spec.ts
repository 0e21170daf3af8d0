import { describeReport, REPORT_COLUMNS, reportFiles } from './report-manifest';

const report = {
  organizationId: 'acme',
  analyticsId: 'dem0',
  settingsIds: ['s1', 's2'],
  aggregation: 'granular',
  frequency: 'weekly',
  firstDay: '2022-04-04',
  lastDay: '2022-04-10',
} as const;

describe('the manifest of a report', () => {
  it('names every file with what it holds, and nothing of when it was made', () => {
    const manifest = describeReport(report, [
      { bytes: 70, rows: 2, sha256: 'a' },
      { bytes: 50, rows: 1, sha256: 'b' },
    ]);
    expect(manifest).toEqual({
      manifest_version: 1,
      organization_id: 'acme',
      analytics_id: 'dem0',
      report: 'granular-2022-04-04-2022-04-10',
      aggregation: 'granular',
      frequency: 'weekly',
      first_day: '2022-04-04',
      last_day: '2022-04-10',
      settings_ids: ['s1', 's2'],
      schema_version: 1,
      columns: REPORT_COLUMNS.granular,
      files: [
        { name: 'granular-2022-04-04-2022-04-10-000000000000.csv', bytes: 70, rows: 2, sha256: 'a' },
        { name: 'granular-2022-04-04-2022-04-10-000000000001.csv', bytes: 50, rows: 1, sha256: 'b' },
      ],
      totals: { files: 2, bytes: 120, rows: 3 },
    });
    expect(describeReport(report, []).totals).toEqual({ files: 0, bytes: 0, rows: 0 });
  });

  it('is the first of all files of a report', () => {
    expect(reportFiles('interaction-2022-04-01', 2)).toEqual([
      '_manifest-interaction-2022-04-01.json',
      'interaction-2022-04-01-000000000000.csv',
      'interaction-2022-04-01-000000000001.csv',
    ]);
  });
});
