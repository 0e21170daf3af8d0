import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ReportWorld } from './report-world';

describe('report files in DuckDB', () => {
  let world: ReportWorld;
  let connection: DuckDBConnection;
  beforeAll(async () => {
    world = await ReportWorld.open();
    connection = await (await DuckDBInstance.create(':memory:')).connect();
  });
  afterEach(() => world.reset());
  afterAll(async () => {
    connection.closeSync();
    await world.close();
  });

  const rows = async (query: string): Promise<unknown[]> => (await connection.runAndReadAll(query)).getRowObjectsJson();

  it('are read as they are, all shards at once', async () => {
    await world.manyInteractions(2_500);
    await world.interactions(
      { browser: 'say "hi", all', country: '', count: 7 },
      { browser: "naïve 🍪; 'tab'", count: 9_007_199_254_740_991 },
    );
    const key = await world.plan('interaction-2026-02-27', { rowsPerShard: 1_000 });
    await world.make(key);
    const shards = join(world.folder, 'analytics', 'acme', key.analyticsId, `${key.prefix}-0*.csv`);
    const described = await rows(`DESCRIBE SELECT * FROM '${shards}'`);
    expect(described).toMatchObject(
      [
        ['date', 'DATE'],
        ['settingsId', 'VARCHAR'],
        ['eventType', 'VARCHAR'],
        ['platform', 'VARCHAR'],
        ['browser', 'VARCHAR'],
        ['country', 'VARCHAR'],
        ['count', 'BIGINT'],
      ].map(([column_name, column_type]) => ({ column_name, column_type })),
    );
    const [sums] = await rows(
      `SELECT count(*)::INT AS rows, count(DISTINCT browser)::INT AS browsers,
         sum(count) FILTER (WHERE browser LIKE 'browser %')::INT AS browsed FROM '${shards}'`,
    );
    expect(sums).toEqual({ rows: 2_502, browsers: 2_502, browsed: (2_500 * 2_501) / 2 });
    const odd = await rows(`SELECT date::VARCHAR AS date, browser, country, count::VARCHAR AS count FROM '${shards}'
      WHERE browser NOT LIKE 'browser %' ORDER BY browser`);
    expect(odd).toEqual([
      { date: '2026-02-27', browser: "naïve 🍪; 'tab'", country: 'FR', count: '9007199254740991' },
      { date: '2026-02-27', browser: 'say "hi", all', country: null, count: '7' },
    ]);
  });

  it('are read when the period was empty, too', async () => {
    const key = await world.plan('granular-2026-02-27');
    await world.make(key);
    const shards = join(world.folder, 'analytics', 'acme', key.analyticsId, `${key.prefix}-0*.csv`);
    expect(await rows(`SELECT count(*)::INT AS rows FROM '${shards}'`)).toEqual([{ rows: 0 }]);
    const columns = await rows(`DESCRIBE SELECT * FROM '${shards}'`);
    expect(columns).toHaveLength(8);
  });
});
