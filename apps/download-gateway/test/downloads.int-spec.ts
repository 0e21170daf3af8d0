import { createHash } from 'node:crypto';
import { GatewayWorld } from './gateway-world';

const day = 'interaction-2026-02-03';
const path = `/download/v2/analytics/mine/${day}`;
const bytes = (text: string) => Buffer.from(`date,count\r\n${text}\r\n`);

let world: GatewayWorld;
let key: string;

beforeAll(async () => {
  world = await GatewayWorld.open();
  await world.analyticsId('acme', 'mine');
  await world.analyticsId('acme', 'other');
  await world.analyticsId('globex', 'theirs');
  key = await world.key('acme', 'mine');
  await world.report('acme', 'mine', day, [bytes('first'), bytes('second')]);
  // Begins like the day's own name.
  await world.report('acme', 'mine', 'interaction-2026-02-02-2026-02-08', [bytes('week')]);
  await world.row('acme', 'mine', 'interaction-2026-02-02', 'removed');
  await world.row('acme', 'mine', 'granular-2026-02-05', 'running');
});
afterAll(() => world.close());

const body = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>;

describe('links', () => {
  it('are one for each file, in order, and lead to it', async () => {
    const answer = await world.get(path, key);
    expect(answer.status).toBe(200);
    const { downloadUrls } = (await answer.json()) as { downloadUrls: string[] };
    expect(downloadUrls.map((url) => new URL(url).pathname)).toEqual([
      `/download/files/acme/mine/${day}-000000000000.csv`,
      `/download/files/acme/mine/${day}-000000000001.csv`,
    ]);
    const files = await Promise.all(downloadUrls.map(async (url) => (await fetch(world.here(url))).text()));
    expect(files).toEqual(['date,count\r\nfirst\r\n', 'date,count\r\nsecond\r\n']);
  });

  it('take the key in the header, whatever its case, before that in the query', async () => {
    const inQuery = (name: string, value: string) => `${path}?${new URLSearchParams({ [name]: value })}`;
    expect((await world.get(inQuery('apiKey', key))).status).toBe(200);
    expect((await world.get(inQuery('apiKey', 'nobody.nothing'), key)).status).toBe(200);
    expect((await world.get(inQuery('apiKey', key), 'nobody.nothing')).status).toBe(401);
    const lower = await fetch(`${world.gateway.url}${path}`, { headers: { 'x-api-key': key } });
    expect(lower.status).toBe(200);
    expect((await world.get(`/api${path}`, key)).status).toBe(200);
  });

  it('answer HEAD', async () => {
    const answer = await world.get(path, key, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  it.each(['', '/api'])(
    'in version 1, below "%s", are one for the file named, and marked as deprecated',
    async (base) => {
      const answer = await world.get(`${base}/download/analytics/mine/${day}-000000000001.csv`, key);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
      expect(answer.headers.get('link')).toBe(`</download/v2/analytics/mine/${day}>; rel="successor-version"`);
      const { downloadUrl } = (await answer.json()) as { downloadUrl: string };
      expect(await (await fetch(world.here(downloadUrl))).text()).toContain('second');
      expect((await world.get(`${base}/download/analytics/mine/${day}-000000000002.csv`, key)).status).toBe(404);
      expect((await world.get(`${base}/download/analytics/mine/${day}.csv`, key)).status).toBe(400);
    },
  );
});

describe('what is not there', () => {
  it.each([
    'interaction-2026-02-30',
    'interaction-2026-02-03-2026-02-05',
    'interaction-9999-12-31',
    'interaction-2026-2-3',
    'interactions-2026-02-03',
    `${day}-000000000000`,
    `${day}-000000000000.csv`,
  ])('is a 400 with the expected form for "%s"', async (prefix) => {
    const answer = await world.get(`/download/v2/analytics/mine/${prefix}`, key);
    expect(answer.status).toBe(400);
    expect((await body(answer))['message']).toContain('interaction-2022-04-01');
  });

  it('is a 401 without a true key, with the way to send one', async () => {
    const [none, wrong] = await Promise.all([world.get(path), world.get(path, key.slice(0, -1))]);
    expect([none.status, wrong.status]).toEqual([401, 401]);
    expect((await body(none))['message']).toContain('x-api-key');
    expect(none.headers.get('www-authenticate')).toBe('ApiKey header="x-api-key"');
  });

  it("is the same 403 for every analytics id that is not the key's, existing or not", async () => {
    const answers = await Promise.all(
      ['other', 'theirs', 'nobodys'].map((id) => world.get(`/download/v2/analytics/${id}/${day}`, key)),
    );
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(bodies).size).toBe(1);
  });

  it('is a 403 for a frequency or aggregation that the key does not have', async () => {
    const narrow = await world.key('acme', 'mine', { frequencies: ['weekly'], aggregations: ['interaction'] });
    const status = async (prefix: string) => (await world.get(`/download/v2/analytics/mine/${prefix}`, narrow)).status;
    expect(await status('interaction-2026-02-02-2026-02-08')).toBe(200);
    expect(await status(day)).toBe(403);
    expect(await status('granular-2026-02-02-2026-02-08')).toBe(403);
  });

  it('is a 404 with the time when it will be there, for a period that is not over', async () => {
    const answer = await world.get('/download/v2/analytics/mine/interaction-2126-04-01-2126-04-30', key);
    expect(answer.status).toBe(404);
    expect(await body(answer)).toMatchObject({ code: 404, available_at: '2126-05-01T08:00:00.000Z' });
    expect(Number(answer.headers.get('retry-after'))).toBe(86_400);
  });

  it('is a 404 with a time for a report that is being made', async () => {
    const answer = await world.get('/download/v2/analytics/mine/granular-2026-02-05', key);
    expect(answer.status).toBe(404);
    expect(Date.parse(String((await body(answer))['available_at']))).toBeGreaterThan(Date.now());
    expect(answer.headers.get('retry-after')).toBe('60');
  });

  it('is a 400 for a name that no file can have, and in the access log', async () => {
    await world.analyticsId('hooli', 'nulls');
    const own = await world.key('hooli', 'nulls');
    expect((await world.get('/download/v2/analytics/nulls/interaction-2026-02-03%00', own)).status).toBe(400);
    expect(await world.accesses('hooli')).toMatchObject([{ status: 400, file: 'interaction-2026-02-03\uFFFD' }]);
  });

  it('is a plain 404 for what is before the first report, and 410 for what was removed', async () => {
    const before = await world.get('/download/v2/analytics/mine/interaction-2025-12-31', key);
    expect(before.status).toBe(404);
    expect(await body(before)).not.toHaveProperty('available_at');
    expect((await world.get('/download/v2/analytics/mine/interaction-2026-02-02', key)).status).toBe(410);
  });

  it('is not taken for the week that begins like it', async () => {
    const links = await world.links(path, key);
    expect(links).toHaveLength(2);
    expect(links.join()).not.toContain('2026-02-08');
  });
});

describe('files', () => {
  const first = async () => world.here((await world.links(path, key))[0] ?? '');

  it('come with a name, a checksum and a type, and answer HEAD', async () => {
    const link = await first();
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(link, { method });
      const digest = createHash('sha256').update(bytes('first')).digest('base64');
      expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${digest}:`);
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${day}-000000000000.csv"`);
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(answer.headers.get('content-length')).toBe(String(bytes('first').length));
      expect((await answer.text()).length).toBe(method === 'GET' ? bytes('first').length : 0);
    }
  });

  it('are served in ranges, and not again to whoever has them', async () => {
    const link = await first();
    const whole = await fetch(link);
    const etag = whole.headers.get('etag') ?? '';
    await whole.text();
    const part = await fetch(link, { headers: { range: 'bytes=5-9' } });
    expect([part.status, await part.text()]).toEqual([206, 'count']);
    expect(part.headers.get('content-range')).toBe(`bytes 5-9/${bytes('first').length}`);
    const other = await fetch(link, { headers: { range: 'bytes=5-9', 'if-range': '"another"' } });
    expect(other.status).toBe(200);
    await other.text();
    expect((await fetch(link, { headers: { range: 'bytes=9999-' } })).status).toBe(416);
    // Without the second, fetch asks for what no cache has.
    const condition = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await fetch(link, { headers: condition })).status).toBe(304);
  });

  it('are refused with a link that was changed, or made for another file', async () => {
    const link = new URL(await first());
    const changed = (change: (url: URL) => void) => {
      const url = new URL(link);
      change(url);
      return fetch(url);
    };
    const answers = await Promise.all([
      changed((url) => (url.pathname = url.pathname.replace('000000000000', '000000000001'))),
      changed((url) => (url.pathname = url.pathname.replace('acme', 'globex'))),
      changed((url) => (url.pathname = url.pathname.replace('/mine/', '/other/'))),
      changed((url) => url.searchParams.set('expires', '9999999999')),
      changed((url) => url.searchParams.set('for', 'somebody')),
      changed((url) => url.searchParams.set('key', 'second')),
      changed((url) => url.searchParams.set('signature', 'A'.repeat(43))),
      changed((url) => url.searchParams.append('expires', '9999999999')),
      changed((url) => (url.search = '')),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
  });
});

it('has every request of a known key, and every download, in the access log of its organization', async () => {
  await world.analyticsId('initech', 'logged');
  const own = await world.key('initech', 'logged');
  await world.report('initech', 'logged', 'interaction-2026-03-03', [bytes('logged')]);
  const agent = { headers: { 'user-agent': 'power-bi' } };
  await world.get('/download/v2/analytics/logged/nothing', own, agent);
  await world.get('/download/v2/analytics/mine/interaction-2026-03-03', own, agent);
  const [link = ''] = await world.links('/download/v2/analytics/logged/interaction-2026-03-03', own);
  await (await fetch(world.here(link), agent)).text();
  const entries = await world.logged('initech', (all) => all[3]?.bytes !== undefined);
  expect(entries.map(({ kind, status, analyticsId }) => [kind, status, analyticsId])).toEqual([
    ['links', 400, 'logged'],
    ['links', 403, 'mine'],
    ['links', 200, 'logged'],
    ['file', 200, 'logged'],
  ]);
  expect(entries[3]).toMatchObject({
    keyId: own.split('.')[0],
    bytes: bytes('logged').length,
    file: 'interaction-2026-03-03-000000000000.csv',
    userAgent: 'power-bi',
  });
});
