import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testDatabase, type TestDatabase, workspaceRoot } from '@delivery/platform/testing';
import { allMigrations } from './migrate-all';

const text = readFileSync(join(workspaceRoot(__dirname), 'docs', 'operations.md'), 'utf8');
const queries = [...text.matchAll(/```sql\n([^`]*?);\s*```/g)].map(([, query = '']) => query);

describe('docs/operations.md', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testDatabase({ migrations: allMigrations });
  });
  afterAll(() => test.close());

  it('has queries', () => {
    expect(queries.length).toBeGreaterThan(5);
  });

  it.each(queries.map((query) => [query.replace(/\s+/g, ' ').slice(0, 60), query]))(
    'can be asked: %s',
    async (_, query) => {
      await expect(test.database.query(query)).resolves.toEqual(expect.any(Array));
    },
  );
});
