import { globSync } from 'node:fs';
import { migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { testDatabase, type TestDatabase, workspaceRoot } from '@delivery/platform/testing';

/** Tables of the log and of the database itself, not of any organization. */
const SYSTEM_TABLES = [
  'analytics_open_hour',
  'consent_rollup_position',
  'ingest_border',
  'ingest_position',
  'ingest_rejection',
  'ingest_rewind',
  'ingest_topic',
  'schema_migration',
];
const STORES = { analytics, consent, exports, ingest, integrations };

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ migrations: Object.values(STORES).flat() });
});
afterAll(() => test.close());

/** The rule lets the tables be distributed by organization, and no query forget it: a key that begins with something else. */
describe('all tables', () => {
  it('of all stores are looked at', () => {
    const stores = globSync('libs/*/store/src/migrations', { cwd: workspaceRoot(__dirname) });
    expect(stores.map((path) => path.split('/')[1]).sort()).toEqual(Object.keys(STORES).sort());
  });

  it('have organization_id, always set', async () => {
    const rows = await test.database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT EXISTS (
         SELECT 1 FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND a.attnotnull)
       ORDER BY 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(SYSTEM_TABLES);
  });

  it('have a primary key, and every unique key begins with organization_id', async () => {
    const rows = await test.database.query<{ name: string; key: string; primary: boolean; first: string }>(
      `SELECT c.relname AS name, k.relname AS key, i.indisprimary AS primary, a.attname AS first
       FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_class k ON k.oid = i.indexrelid
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND i.indisunique AND c.relname <> ALL($1)`,
      [SYSTEM_TABLES],
    );
    const tables = ['organization', 'api_key', 'integration', 'organization_bucket', 'export_schedule', 'export_run'];
    const withPrimary = rows.filter(({ primary }) => primary).map(({ name }) => name);
    expect(withPrimary).toEqual(expect.arrayContaining([...tables, 'consent_event_head', 'consent_user']));
    expect(rows.filter(({ first }) => first !== 'organization_id')).toEqual([]);
  });
});
