import { MAX_ANALYTICS_IDS, MAX_ANALYTICS_KEYS } from '@delivery/analytics/domain';
import { type DownloadAccess, DownloadAccessStore } from '@delivery/analytics/store';
import { v7 } from 'uuid';
import { type Client, type Harness, startHarness } from './harness';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const IDS = '/v1/analytics/ids';
const today = () => new Date().toISOString().slice(0, 10);

async function anId(client: Client, more: object = {}): Promise<string> {
  const made = await client.send('POST', IDS, { name: 'shops', settings_ids: ['s1', 's2'], ...more });
  expect(made.status).toBe(201);
  return String(made.body['id']);
}

describe('analytics ids', () => {
  it('have all reports from today on, unless something else is said', async () => {
    const client = await harness.organization('ids');
    const made = await client.send('POST', IDS, { name: 'shops', settings_ids: ['s1', 's2'] });
    expect(made).toMatchObject({
      status: 201,
      body: {
        id: expect.stringMatching(/^[0-9a-z]{10}$/),
        organization_id: 'ids',
        name: 'shops',
        settings_ids: ['s1', 's2'],
        frequencies: ['daily', 'weekly', 'monthly'],
        aggregations: ['interaction', 'granular'],
        reports_from: today(),
        enabled: true,
      },
    });
    const path = `${IDS}/${String(made.body['id'])}`;
    expect(await client.send('GET', path)).toMatchObject({ status: 200, body: made.body });
    const named = {
      ...{ organization_id: 'ids', id: 'analyticsID', name: 'as before', settings_ids: ['s.3'] },
      ...{ frequencies: ['weekly'], aggregations: ['granular'], reports_from: today() },
    };
    expect(await client.send('POST', IDS, named)).toMatchObject({ status: 201, body: named });
    expect(await client.send('GET', IDS)).toMatchObject({
      body: { total: 2, limit: 100, skip: 0, data: [{ name: 'shops' }, { id: 'analyticsID' }] },
    });
    expect(await client.send('GET', `${IDS}?$limit=1&$skip=1`)).toMatchObject({
      body: { total: 2, data: [{ id: 'analyticsID' }] },
    });
  });

  it('are changed field by field, and disabled', async () => {
    const client = await harness.organization('changing');
    const id = await anId(client, { id: 'mine' });
    const path = `${IDS}/${id}`;
    const before = (await client.send('GET', path)).body;
    const changes = { settings_ids: ['s9'], frequencies: ['daily'], aggregations: ['interaction'] };
    expect(await client.send('PATCH', path, changes)).toMatchObject({ status: 200, body: { ...before, ...changes } });
    const renamed = await client.send('PATCH', path, { name: 'other', enabled: false });
    expect(renamed.body).toEqual({ ...before, ...changes, name: 'other', enabled: false });
    expect((await client.send('PATCH', path, {})).body).toEqual(renamed.body);
    expect(await client.send('PATCH', path, { reports_from: today() })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'reports_from' }] },
    });
    expect((await client.send('DELETE', path)).status).toBe(404);
  });

  it.each([
    ['name', { name: ' ' }],
    ['name', { name: undefined }],
    ['settings_ids', { settings_ids: [] }],
    ['settings_ids', { settings_ids: ['s1', 's1'] }],
    ['settings_ids', { settings_ids: ['=1+1'] }],
    ['settings_ids', { settings_ids: 's1' }],
    ['settings_ids', { settings_ids: [null] }],
    ['frequencies', { frequencies: [] }],
    ['frequencies', { frequencies: ['hourly'] }],
    ['frequencies', { frequencies: null }],
    ['aggregations', { aggregations: ['interaction', 'interaction'] }],
    ['reports_from', { reports_from: '2026-02-30' }],
    ['reports_from', { reports_from: '1999-01-01' }],
    ['reports_from', { reports_from: 'yesterday' }],
    ['id', { id: '../other' }],
    ['id', { id: '' }],
    ['more', { more: 1 }],
  ])('name %s as the field at fault in %j', async (field, fault) => {
    // One organization each: the limit of requests must not be the reason.
    const client = await harness.organization(`faults-${v7()}`);
    const answer = await client.send('POST', IDS, { name: 'shops', settings_ids: ['s1'], ...fault });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  it('are there once, for each organization', async () => {
    const [one, other] = [await harness.organization('once-a'), await harness.organization('once-b')];
    await anId(one, { id: 'shops' });
    await anId(other, { id: 'shops' });
    const again = await Promise.all(
      [1, 2, 3].map(() => one.send('POST', IDS, { id: 'both', name: 'x', settings_ids: ['s1'] })),
    );
    expect(again.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const third = await one.send('POST', IDS, { id: 'shops', name: 'x', settings_ids: ['s1'] });
    expect(third).toMatchObject({ status: 409, body: { message: expect.stringContaining('another') } });
  });

  it('are no more than an organization may have', async () => {
    const client = await harness.organization('many');
    await harness.database.query(
      `INSERT INTO analytics_id (organization_id, id, name, settings_ids, frequencies, aggregations, reports_from)
       SELECT 'many', 'id-' || n, 'x', '{s1}', '{daily}', '{granular}', current_date FROM generate_series(2, $1) AS n`,
      [MAX_ANALYTICS_IDS],
    );
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((id) => client.send('POST', IDS, { id, name: 'x', settings_ids: ['s1'] })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
    expect((await client.send('GET', IDS)).body['total']).toBe(MAX_ANALYTICS_IDS);
  });

  it('are not found by odd names', async () => {
    const client = await harness.organization('odd');
    for (const id of ['%00', '..%2f..', 'nobodys', 'x'.repeat(200)]) {
      expect((await client.send('GET', `${IDS}/${id}`)).status).toBe(404);
      expect((await client.send('GET', `${IDS}/${id}/keys`)).status).toBe(404);
      expect((await client.send('GET', `/v1/analytics/reports?analytics_id=${id}`)).status).toBe(
        id === '%00' ? 400 : 404,
      );
    }
  });
});

describe('keys of downloads', () => {
  it('are shown once, disabled and deleted', async () => {
    const client = await harness.organization('secrets');
    const keys = `${IDS}/${await anId(client)}/keys`;
    const made = await client.send('POST', keys, { name: 'power-bi', frequencies: ['daily'] });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'power-bi', frequencies: ['daily'], aggregations: null, enabled: true },
    });
    const { id, api_key: whole } = made.body;
    const [, secret = ''] = String(whole).split('.');
    expect(whole).toMatch(new RegExp(`^${String(id)}\\.[\\w-]{43}$`));
    const path = `${keys}/${String(id)}`;
    const list = await client.send('GET', keys);
    expect(list).toMatchObject({ body: { total: 1, data: [{ id }] } });
    const disabled = await client.send('PATCH', path, { enabled: false });
    expect(disabled).toMatchObject({ status: 200, body: { id, enabled: false } });
    expect((await client.send('PATCH', path, {})).status).toBe(400);
    expect((await client.send('DELETE', path)).status).toBe(204);
    for (const method of ['DELETE', 'PATCH']) {
      const body = method === 'PATCH' ? { enabled: true } : undefined;
      expect((await client.send(method, path, body)).status).toBe(404);
    }
    expect([list.text, disabled.text, ...harness.logs].filter((text) => text.includes(secret))).toEqual([]);
    const stored = await harness.database.query(`SELECT analytics_key::text FROM analytics_key`);
    expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it('open nothing here', async () => {
    const client = await harness.organization('nothing');
    const made = await client.send('POST', `${IDS}/${await anId(client)}/keys`, { name: 'power-bi' });
    const authorization = `Bearer ${String(made.body['api_key'])}`;
    const answer = await fetch(`${harness.service.url}${IDS}`, { headers: { authorization } });
    expect(answer.status).toBe(401);
  });

  it('are no more than an analytics id may have', async () => {
    const client = await harness.organization('key-quota');
    const id = await anId(client);
    await harness.database.query(
      `INSERT INTO analytics_key (organization_id, id, analytics_id, name, secret_hash, secret_salt)
       SELECT 'key-quota', 'key-' || n, $2, 'x', '', '' FROM generate_series(2, $1) AS n`,
      [MAX_ANALYTICS_KEYS, id],
    );
    const answers = await Promise.all(['a', 'b'].map((name) => client.send('POST', `${IDS}/${id}/keys`, { name })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403]);
  });
});

describe('reports', () => {
  it('are listed with their state, the newest period first', async () => {
    const client = await harness.organization('reporting');
    const [one, other] = [await anId(client, { id: 'one' }), await anId(client, { id: 'other' })];
    const row = (id: string, day: string, aggregation: string, state: string) =>
      harness.database.query(
        `INSERT INTO analytics_report (organization_id, analytics_id, prefix, aggregation, frequency, first_day, last_day,
           settings_ids, rows_per_shard, escape_formulas, planned_at, status, attempt, last_error, shards, rows, bytes,
           published_at)
         VALUES ('reporting', $1, $2 || '-' || $3, $2, 'daily', $3::date, $3::date, '{s1}', 10, false, now(), $4, 1, $5, $6,
           $7, $8, CASE WHEN $4 = 'published' THEN now() END)`,
        [
          ...[id, aggregation, day, state, state === 'pending' ? 'bucket operators-own: denied' : null],
          ...[JSON.stringify(state === 'published' ? [{ bytes: 9, rows: 2, sha256: 'x' }] : []), 2, 9],
        ],
      );
    await row(one, '2026-01-01', 'interaction', 'published');
    await row(one, '2026-01-02', 'interaction', 'pending');
    await row(one, '2026-01-02', 'granular', 'published');
    await row(other, '2026-01-03', 'interaction', 'published');
    const prefixes = async (query: string) => {
      const { status, body } = await client.send('GET', `/v1/analytics/reports${query}`);
      expect(status).toBe(200);
      return Object(body)['data'].map((each: { file_prefix: string }) => each.file_prefix);
    };
    expect(await prefixes('')).toEqual([
      ...['interaction-2026-01-03', 'granular-2026-01-02', 'interaction-2026-01-02', 'interaction-2026-01-01'],
    ]);
    expect(await prefixes('?analytics_id=other')).toEqual(['interaction-2026-01-03']);
    expect(await prefixes('?analytics_id=one&aggregation=granular&frequency=daily')).toEqual(['granular-2026-01-02']);
    expect(await prefixes('?frequency=weekly')).toEqual([]);
    const page = await client.send('GET', '/v1/analytics/reports?$limit=1&$skip=2');
    expect(page).toMatchObject({
      body: { total: 4, data: [{ state: 'pending', files: 0, published_at: null, analytics_id: 'one' }] },
    });
    expect(page.text).not.toContain('operators-own');
    expect(await client.send('GET', '/v1/analytics/reports?$skip=3')).toMatchObject({
      body: { data: [{ state: 'published', files: 1, rows: 2, bytes: 9, first_day: '2026-01-01' }] },
    });
    for (const query of ['frequency=hourly', 'aggregation=a', 'state=published', 'frequency[$in]=daily']) {
      const { status } = await client.send('GET', `/v1/analytics/reports?${query}`);
      expect([query, status]).toEqual([query, query.includes('[') ? 200 : 400]);
    }
  });
});

describe('the access log', () => {
  it('is read page by page, newest first', async () => {
    const client = await harness.organization('reading');
    await harness.organization('unread');
    const line = (organizationId: string, n: number): DownloadAccess => ({
      ...{ organizationId, id: v7(), at: new Date(), kind: 'file', keyId: 'k', analyticsId: 'shops' },
      ...{
        file: `file-${n}`,
        status: 206,
        bytes: 5_000_000_000,
        times: 1,
        address: '203.0.113.7',
        userAgent: undefined,
      },
    });
    const lines = Array.from({ length: 5 }, (_, n) => line('reading', n));
    await new DownloadAccessStore().insert(harness.database, [line('unread', 99), ...lines]);
    const seen: string[] = [];
    let before = '';
    for (let pages = 1; ; pages += 1) {
      const { body } = await client.send('GET', `/v1/analytics/downloads?$limit=2${before}`);
      const { data, cursor }: { data: { file: string }[]; cursor: string | null } = Object(body);
      seen.push(...data.map(({ file }) => file));
      if (cursor === null) {
        expect(pages).toBe(3);
        break;
      }
      before = `&$cursor=${cursor}`;
    }
    expect(seen).toEqual(['file-4', 'file-3', 'file-2', 'file-1', 'file-0']);
    expect(await client.send('GET', '/v1/analytics/downloads')).toMatchObject({
      body: {
        limit: 100,
        cursor: null,
        data: { length: 5, 0: { kind: 'file', bytes: 5e9, times: 1, user_agent: null } },
      },
    });
    for (const query of [
      '$skip=1',
      '$cursor=x',
      '$cursor=%00',
      '$limit=x',
      '$limit=0',
      'key_id=k',
      '$cursor=a&$cursor=b',
    ]) {
      const { status } = await client.send('GET', `/v1/analytics/downloads?${query}`);
      expect([query, status]).toEqual([query, 400]);
    }
  });
});
