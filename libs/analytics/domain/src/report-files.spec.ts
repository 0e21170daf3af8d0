import fc from 'fast-check';
import { dayOf } from './hours';
import { parseShardFile, reportFolder, reportManifestFile, shardFile, shardFileBeginning } from './report-files';
import { AGGREGATIONS, formatReportPrefix, FREQUENCIES, periodOf } from './report-period';

const prefixes = fc
  .tuple(fc.constantFrom(...AGGREGATIONS), fc.constantFrom(...FREQUENCIES), fc.integer({ min: 0, max: 40_000 }))
  .map(([aggregation, frequency, day]) => formatReportPrefix({ aggregation, ...periodOf(frequency, dayOf(day * 24)) }));
const shards = fc.nat(999_999);

describe('the files of a report', () => {
  it('have the names that the download service gives them', () => {
    expect(shardFile('interaction-2022-04-01', 0)).toBe('interaction-2022-04-01-000000000000.csv');
    expect(shardFile('granular-2022-04-04-2022-04-10', 17)).toBe('granular-2022-04-04-2022-04-10-000000000017.csv');
    expect(reportManifestFile('interaction-2022-04-01')).toBe('_manifest-interaction-2022-04-01.json');
    expect(reportFolder('acme', 'dem0')).toBe('analytics/acme/dem0/');
  });

  it('are read back from their names', () => {
    fc.assert(
      fc.property(prefixes, shards, (prefix, shard) => {
        expect(parseShardFile(shardFile(prefix, shard))).toEqual({ prefix, shard });
      }),
    );
  });

  it.each([
    ['a report', 'interaction-2022-04-01'],
    ['eleven digits', 'interaction-2022-04-01-00000000000.csv'],
    ['thirteen digits', 'interaction-2022-04-01-0000000000000.csv'],
    ['another kind of file', 'interaction-2022-04-01-000000000000.csv.gz'],
    ['a manifest', '_manifest-interaction-2022-04-01.json'],
    ['a line end', 'interaction-2022-04-01-000000000000.csv\n'],
    ['no report', '-000000000000.csv'],
  ])('%s is no shard', (_, file) => {
    const parsed = parseShardFile(file);
    // With a digit too many, the name before is no report's.
    expect(parsed === undefined || parsed.prefix.endsWith('-')).toBe(true);
  });

  it('begin as those of no other report do, though the name of a day begins the name of its month', () => {
    expect(shardFile('interaction-2022-04-01-2022-04-30', 0)).not.toMatch(
      new RegExp(`^${shardFileBeginning('interaction-2022-04-01')}`),
    );
    fc.assert(
      fc.property(prefixes, prefixes, shards, (prefix, other, shard) => {
        expect(shardFile(prefix, shard).startsWith(shardFileBeginning(prefix))).toBe(true);
        fc.pre(other !== prefix);
        expect(shardFile(other, shard).startsWith(shardFileBeginning(prefix))).toBe(false);
      }),
    );
  });
});
