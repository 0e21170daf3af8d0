import { pendingMigrations } from '@delivery/platform/postgres';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { allMigrations, migrateAll } from './migrate-all';

describe('migrateAll', () => {
  let test: TestDatabase;

  beforeEach(async () => {
    test = await testDatabase({ migrations: [] });
  });
  afterEach(() => test.close());

  it('brings an empty database to this version, once, however often and by however many it is asked', async () => {
    const lines: string[] = [];
    const applied = await Promise.all([1, 2, 3].map(() => migrateAll(test.config, (line) => lines.push(line))));
    expect(applied.flat()).toHaveLength(allMigrations.length);
    expect(lines.filter((line) => line.startsWith('applying'))).toHaveLength(allMigrations.length);
    await expect(pendingMigrations(test.database, allMigrations)).resolves.toEqual([]);
    await expect(migrateAll(test.config, () => undefined)).resolves.toEqual([]);
  });
});
