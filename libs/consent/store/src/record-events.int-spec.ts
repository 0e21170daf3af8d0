import { normalizeEvent, type ConsentEventInput } from '@delivery/consent/domain';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import type { Database } from '@delivery/platform/postgres';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { migrations, recordEvents } from './index';

const arrivedAt = new Date('2026-11-20T12:00:00Z');

describe('recordEvents', () => {
  let test: TestDatabase;
  let database: Database;
  let offsets = 0n;

  beforeAll(async () => {
    test = await testDatabase({ migrations: [...ingestMigrations, ...migrations] });
    database = test.database;
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    await database.query('TRUNCATE consent_event_head, consent_event_revision, consent_user');
    offsets = 0n;
  });

  function items(inputs: Partial<ConsentEventInput>[], partition = 0) {
    return inputs.map((input) => {
      const position = { topicId: 1, partition, epoch: 1, offset: offsets++ };
      const full = { organization_id: 'acme', user: { id: 'u1' }, ...input };
      return {
        arrivedAt,
        event: normalizeEvent(full, { clusterId: 'c', topic: 't', position, arrivedAt: arrivedAt.getTime() }),
      };
    });
  }

  const record = (inputs: Partial<ConsentEventInput>[], partition = 0) => {
    const batch = items(inputs, partition);
    return database.transaction((tx) => recordEvents(tx, batch));
  };

  const purpose = (id: string, enabled: boolean) => ({ consents: { purposes: [{ id, enabled }] } });

  async function user(): Promise<{ version: number; purposes: Record<string, boolean> }> {
    const [row] = await database.query<{ version: number; user_document: string }>(
      `SELECT u.version, r.user_document FROM consent_user u JOIN consent_event_revision r
         ON r.organization_id = u.organization_id AND r.topic_id = document_topic_id AND r.partition = document_partition
        AND r.epoch = document_epoch AND r.log_offset = document_offset AND r.month = document_month`,
    );
    if (row === undefined) throw new Error('no user');
    const document = JSON.parse(row.user_document);
    expect(document.version).toBe(row.version);
    return {
      version: row.version,
      purposes: Object.fromEntries(
        document.consents.purposes.map((p: { id: string; enabled: boolean }) => [p.id, p.enabled]),
      ),
    };
  }

  it('lets the first of two events with one id win, within a batch and across batches', async () => {
    await expect(
      record([
        { id: 'e1', ...purpose('a', true) },
        { id: 'e1', ...purpose('a', false) },
      ]),
    ).resolves.toEqual({ recorded: 1, duplicates: 1 });
    await expect(record([{ id: 'e1', ...purpose('a', false) }], 1)).resolves.toEqual({ recorded: 0, duplicates: 1 });
    await expect(user()).resolves.toEqual({ version: 1, purposes: { a: true } });
  });

  it('keeps ids of different organizations apart', async () => {
    await expect(record([{ id: 'e1' }, { id: 'e1', organization_id: 'other' }])).resolves.toEqual({
      recorded: 2,
      duplicates: 0,
    });
  });

  it('folds later batches onto the stored document and counts versions', async () => {
    await record([purpose('a', true), purpose('b', true)]);
    await record([purpose('a', false)]);
    await expect(user()).resolves.toEqual({ version: 3, purposes: { a: false, b: true } });
  });

  it('recomputes the user when an older event comes late', async () => {
    await record([{ created_at: '2026-11-20T10:00:00Z', ...purpose('a', false) }]);
    await record([{ created_at: '2026-11-20T11:00:00Z', ...purpose('b', true) }]);
    await record([
      {
        created_at: '2026-11-20T09:00:00Z',
        consents: {
          purposes: [
            { id: 'a', enabled: true },
            { id: 'c', enabled: true },
          ],
        },
      },
    ]);
    await expect(user()).resolves.toEqual({ version: 3, purposes: { a: false, b: true, c: true } });
  });

  it('gives the same user whatever order batches arrive in', async () => {
    const inputs = [1, 2, 3, 4, 5].map((n) => ({
      id: `e${n}`,
      created_at: `2026-11-20T0${n}:00:00Z`,
      ...purpose(n % 2 ? 'a' : 'b', n > 2),
    }));
    for (const input of [inputs[3], inputs[0], inputs[4], inputs[2], inputs[1]]) if (input) await record([input]);
    await expect(user()).resolves.toEqual({ version: 5, purposes: { a: true, b: true } });
  });

  it('stores a pending event and leaves the user alone', async () => {
    await expect(record([{ status: 'pending_approval', ...purpose('a', true) }])).resolves.toEqual({
      recorded: 1,
      duplicates: 0,
    });
    await expect(database.query('SELECT 1 FROM consent_user')).resolves.toEqual([]);
    const rows = await database.query('SELECT user_version, user_document FROM consent_event_revision');
    expect(rows).toEqual([{ user_version: null, user_document: null }]);
  });

  it('keeps users apart by regulation', async () => {
    await record([purpose('a', true), { regulation: 'ccpa', ...purpose('a', false) }]);
    const rows = await database.query('SELECT regulation, version FROM consent_user ORDER BY 1');
    expect(rows).toEqual([
      { regulation: 'ccpa', version: 1 },
      { regulation: 'gdpr', version: 1 },
    ]);
  });

  it('counts a user as guest until something but an SDK speaks of him', async () => {
    await record([{ source: 'sdk-web' }]);
    await expect(database.query('SELECT guest FROM consent_user')).resolves.toEqual([{ guest: true }]);
    await record([{ source: 'api' }]);
    await expect(database.query('SELECT guest FROM consent_user')).resolves.toEqual([{ guest: false }]);
  });

  it('loses nothing when partitions with shared users and ids are recorded at once', async () => {
    const batches = [0, 1, 2, 3].flatMap((partition) =>
      Array.from({ length: 5 }, (_, b) => ({
        partition,
        batch: items(
          Array.from({ length: 40 }, (_, i) => ({
            id: `e${(b * 40 + i) % 150}`,
            user: { id: `u${i % 7}` },
            ...purpose(`p${i % 3}`, i % 2 === 0),
          })),
          partition,
        ),
      })),
    );
    const results = await Promise.all(
      batches.map(({ batch }) => database.transaction((tx) => recordEvents(tx, batch), { retries: 20 })),
    );
    expect(results.reduce((sum, r) => sum + r.recorded, 0)).toBe(150);
    expect(results.reduce((sum, r) => sum + r.recorded + r.duplicates, 0)).toBe(800);
    const [sums] = await database.query(
      'SELECT sum(version)::int AS versions, (SELECT count(*)::int FROM consent_event_revision) AS revisions FROM consent_user',
    );
    expect(sums).toEqual({ versions: 150, revisions: 150 });
  });
});
