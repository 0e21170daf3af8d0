import { migrations as consentMigrations } from '@delivery/consent/store';
import { DATASETS } from '@delivery/exports/domain';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import type { Content } from '../src/contents/content';
import { contentOf } from '../src/contents/registry';
import { consentLog } from '../src/sources/consent-log';
import { workOf } from './query-work';

const PER_MONTH = 20_000;
const MONTHS = 6;

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase({ migrations: [...ingestMigrations, ...consentMigrations] });
  const { database } = test;
  await database.query(`SELECT consent_ensure_revision_partitions('2025-01-01', ${MONTHS})`);
  // One organization and one partition of the log: nothing but the offset tells the window from the rest.
  await database.query(`
    INSERT INTO consent_event_revision (organization_id, topic_id, partition, epoch, log_offset, month, event_id, user_id,
      regulation, status, event_version, user_version, guest, arrived_at, effective_at, event_document, user_document)
    SELECT 'acme', 1, 0, 1, n, m, 'e' || n, 'u' || n % 5000, 'gdpr', 'confirmed', 1, n / 5000 + 1, false, m, m,
      '{"id":"e' || n || '","noise":"' || repeat(md5(n::text), 10) || '"}', '{"id":"u' || n % 5000 || '"}'
    FROM generate_series(0, ${MONTHS * PER_MONTH - 1}) n,
      LATERAL (SELECT ('2025-01-01'::date + make_interval(months => n / ${PER_MONTH}))::date AS m) month`);
}, 60_000);
afterAll(() => test.close());

async function survey(content: Content, from: number, to: number) {
  const range = {
    topicId: 1,
    partition: 0,
    from: { epoch: from === 0 ? 0 : 1, offset: BigInt(from) },
    to: { epoch: 1, offset: BigInt(to) },
  };
  const window = { organizationId: 'acme', ranges: [range], includeGuests: true };
  const sql = content.surveySql(window);
  const [found] = await test.database.query<{ events: string; first_month: string; last_month: string }>(sql);
  if (found === undefined) throw new Error('no survey');
  const months = { first: found.first_month, last: found.last_month };
  return { events: Number(found.events), months, sql, statements: content.linesSql({ ...window, months }) };
}

const table = (month: string) => `consent_event_revision_2025_${month}`;
// What one hour brings, when a month brings PER_MONTH.
const HOUR = Math.ceil(PER_MONTH / 720);

const contents = Object.values(DATASETS).filter((name) => contentOf(name).source === consentLog);

describe.each(['without statistics', 'with statistics'])('an hour out of half a year, %s', (statistics) => {
  beforeAll(async () => {
    if (statistics === 'with statistics') await test.database.query('ANALYZE consent_event_revision');
  });

  describe.each(contents)('%s', (name) => {
    it.each([
      ['in the middle of a month', 3 * PER_MONTH + PER_MONTH / 2, ['04']],
      ['at the end of a month', 3 * PER_MONTH - HOUR, ['03']],
      ['at the beginning of a month', 3 * PER_MONTH, ['04']],
      ['over the end of a month', 3 * PER_MONTH - HOUR / 2, ['03', '04']],
    ])('%s reads that hour', async (_, begin, months) => {
      const from = Math.floor(begin);
      const { events, months: found, sql, statements } = await survey(contentOf(name), from, from + HOUR);
      expect(events).toBe(HOUR);
      expect(found).toEqual({ first: `2025-${months[0]}-01`, last: `2025-${months.at(-1)}-01` });
      expect(statements).toHaveLength(1);
      const read = await workOf(test.database, statements.join());
      expect(read).toMatchObject({ tables: months.map(table), rows: HOUR, filtered: 0, sequential: [] });
      // The window itself, and per user a look-up of three blocks or four.
      expect(read.blocks).toBeLessThan(HOUR * 6 + 20);
      // The survey asks the index of every month once and then counts that hour.
      const asked = await workOf(test.database, sql);
      expect(asked).toMatchObject({ filtered: 0, sequential: [] });
      expect(asked.blocks).toBeLessThan(HOUR + (MONTHS + 4) * 4);
    });
  });
});

it.each(contents)('the first window of %s reads all of it, and none twice', async (name) => {
  const content = contentOf(name);
  const { events, months, statements } = await survey(content, 0, MONTHS * PER_MONTH);
  expect(events).toBe(MONTHS * PER_MONTH);
  expect(months).toEqual({ first: '2025-01-01', last: '2025-06-01' });
  let counted = 0;
  for (const sql of statements) {
    const [row] = await test.database.query<{ events: string | null }>(
      content.grouped
        ? `SELECT sum(count)::text AS events FROM (${sql}) AS l(line, count, users)`
        : `SELECT count(*)::text AS events FROM (${sql}) AS l`,
    );
    counted += Number(row?.events);
  }
  expect(counted).toBe(MONTHS * PER_MONTH);
});

it('events are read in the order of the index, however many', async () => {
  const { statements } = await survey(contentOf('consent-events'), 0, MONTHS * PER_MONTH);
  const [before, all] = await Promise.all(statements.map((sql) => workOf(test.database, sql)));
  expect(before).toMatchObject({ rows: 0, filtered: 0, sequential: [] });
  expect(all).toMatchObject({ rows: MONTHS * PER_MONTH, filtered: 0, sequential: [], sorted: false });
});
