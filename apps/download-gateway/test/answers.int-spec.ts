import { GatewayWorld } from './gateway-world';

const day = 'interaction-2026-02-03';

let world: GatewayWorld;
let key: string;

beforeAll(async () => {
  world = await GatewayWorld.open({ DOWNLOAD_REQUESTS_PER_15_SECONDS: '20' });
  for (const id of ['acme', 'flood']) {
    await world.analyticsId(id, 'mine');
    await world.report(id, 'mine', day, [Buffer.from('0123456789')]);
  }
  await world.row('acme', 'mine', 'interaction-2026-02-02', 'removed');
  key = await world.key('acme', 'mine');
});
afterAll(() => world.close());

const about = ({ status, headers }: Response) => [status, headers.get('cache-control'), headers.get('vary')];

it('are not kept by anybody, whatever their status', async () => {
  const flooding = await world.key('flood', 'mine');
  for (let n = 0; n < 20; n += 1) await world.get(`/download/v2/analytics/mine/${day}`, flooding);
  const [link = ''] = await world.links(`/download/v2/analytics/mine/${day}`, key);
  const cases: [number, string, string | undefined][] = [
    [200, `/download/v2/analytics/mine/${day}`, key],
    [400, '/download/v2/analytics/mine/nothing', key],
    [401, `/download/v2/analytics/mine/${day}`, undefined],
    [403, `/download/v2/analytics/other/${day}`, key],
    [404, '/download/v2/analytics/mine/interaction-2126-01-01', key],
    [404, '/nothing/here', key],
    [410, '/download/v2/analytics/mine/interaction-2026-02-02', key],
    [429, `/download/v2/analytics/mine/${day}`, flooding],
    [403, new URL(link).pathname, undefined],
    [405, `/download/v2/analytics/mine/${day}`, key],
    [405, `/api/download/analytics/mine/${day}-000000000000.csv?apiKey=x`, key],
    [405, new URL(link).pathname, undefined],
  ];
  for (const [status, path, own] of cases) {
    const answer = await world.get(path, own, status === 405 ? { method: 'POST' } : {});
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
    expect(about(answer)).toEqual([status, 'no-store', 'x-api-key']);
  }
  expect(about(await fetch(world.here(link)))).toEqual([200, 'private, no-store', 'x-api-key']);
  for (const path of ['/download/v2/analytics/%zz/x', `/download/v2/analytics/${'x'.repeat(2000)}/x`]) {
    expect((await world.get(path, key)).headers.get('cache-control')).toBe('no-store');
  }
  world.wire.cut();
  const away = await world.get(`/download/v2/analytics/mine/${day}`, key);
  world.wire.mend();
  expect(about(away)).toEqual([503, 'no-store', 'x-api-key']);
});

it.each(['', '/api'])('of version 1, below "%s", are marked as deprecated whatever their status', async (base) => {
  const path = `${base}/download/analytics/mine/${day}-000000000000.csv`;
  const none = await world.get(path);
  expect(none.status).toBe(401);
  for (const answer of [none, await world.get(path, key), await world.get(`${path}x`, key)]) {
    expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
    expect(answer.headers.get('link')).toContain('</download/v2/analytics/mine/interaction-2026-02-03');
    expect(answer.headers.get('link')).toContain('rel="successor-version"');
  }
});

it('are given with no more than the rights that they need', async () => {
  const rights = await world.test.database.query<{ right: string }>(
    `SELECT table_name || ' ' || privilege_type AS right FROM information_schema.role_table_grants
     WHERE grantee = 'delivery_gateway'`,
  );
  const tables = ['analytics_id SELECT', 'analytics_key SELECT', 'analytics_report SELECT'];
  // Which migrations have run is everybody's to know.
  const own = rights.map(({ right }) => right).filter((right) => right !== 'schema_migration SELECT');
  expect(own.toSorted()).toEqual([...tables, 'download_access INSERT', 'download_access SELECT']);
});
