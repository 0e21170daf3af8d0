import { type Route, routesOf } from '@delivery/platform/testing';
import { type Client, type Harness, send, startHarness } from './harness';

let harness: Harness;
let mine: Client;
/** What is mine, by the route's parameter. */
let ids: { integration: string; run: string; key: string; session: string; analytics: string; analyticsKey: string };
/** Everything of mine that nobody else may see. */
let marks: string[];

const INTEGRATION = {
  type_id: 'batch-exports-s3',
  authentication: { account_id: '111122223333' },
  properties: { frequency: 1 },
  mappings: [],
};

const ANALYTICS_ID = { name: 'shops', settings_ids: ['s1'] };

beforeAll(async () => {
  harness = await startHarness();
  mine = await harness.organization('iso-mine');
  const integration = String((await mine.send('POST', '/v1/marketplace/integrations', INTEGRATION)).body['id']);
  const run = String((await mine.send('POST', '/v1/exports/execute', { export_id: integration })).body['id']);
  const analytics = String((await mine.send('POST', '/v1/analytics/ids', ANALYTICS_ID)).body['id']);
  const keys = `/v1/analytics/ids/${analytics}/keys`;
  const analyticsKey = String((await mine.send('POST', keys, { name: 'mine' })).body['id']);
  const token = await signIn(mine);
  const claims: { jti: string } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  ids = { integration, run, key: mine.key.id, session: claims.jti, analytics, analyticsKey };
  marks = [...Object.values(ids), mine.key.secret, token, 'iso-mine'];
});
afterAll(() => harness.close());

async function signIn({ key }: Client): Promise<string> {
  const credentials = { type: 'api-key', key: key.id, secret: key.secret };
  const session = await send(`${harness.service.url}/v1/sessions`, 'POST', credentials);
  return String(session.body['access_token']);
}

const routes = () => routesOf(harness.service.app);

function filled({ path }: Route): string {
  const kind = path.split('/')[2] ?? '';
  const id =
    kind === 'keys'
      ? ids.key
      : kind === 'sessions'
        ? ids.session
        : kind === 'organizations'
          ? 'iso-mine'
          : kind === 'analytics'
            ? ids.analytics
            : ids.integration;
  return path.replace(':id', id).replace(':run', ids.run).replace(':key', ids.analyticsKey);
}

/** A body that would be accepted from me. A route that takes one and is not here fails the test. */
const BODIES: Readonly<Record<string, (named: object) => object>> = {
  'POST /v1/sessions': () => ({ type: 'api-key', key: ids.key, secret: 'wrong' }),
  'POST /v1/keys': (named) => ({ ...named, name: 'intruder' }),
  'PUT /v1/keys/:id': (named) => ({ ...named, name: 'intruder' }),
  'PATCH /v1/keys/:id': (named) => ({ ...named, enabled: false }),
  'POST /v1/analytics/ids': (named) => ({ ...named, ...ANALYTICS_ID }),
  'PATCH /v1/analytics/ids/:id': (named) => ({ ...named, enabled: false }),
  'POST /v1/analytics/ids/:id/keys': (named) => ({ ...named, name: 'intruder' }),
  'PATCH /v1/analytics/ids/:id/keys/:key': (named) => ({ ...named, enabled: false }),
  'POST /v1/marketplace/integrations': (named) => ({ ...named, ...INTEGRATION }),
  'PATCH /v1/marketplace/integrations/:id': (named) => ({ ...named, enabled: false }),
  'POST /v1/exports/execute': (named) => ({ ...named, export_id: ids.integration }),
};

function bodyOf({ method, path }: Route, named: object = {}): object | undefined {
  if (method === 'GET' || method === 'DELETE' || /\/(retry|cancel)$/.test(path)) return undefined;
  const make = BODIES[`${method} ${path}`];
  if (make === undefined) throw new Error(`say which body ${method} ${path} takes`);
  return make(named);
}

const TABLES = [
  'organization',
  'api_key',
  'integration',
  'organization_bucket',
  'export_schedule',
  'export_run',
  'analytics_id',
  'analytics_key',
];

const everythingOfMine = () =>
  Promise.all(
    TABLES.map((table) =>
      harness.database.query(`SELECT * FROM ${table} WHERE organization_id = 'iso-mine' ORDER BY 1, 2`),
    ),
  );

it('knows all routes', () => {
  const names = routes().map(({ method, path }) => `${method} ${path}`);
  expect(names.length).toBeGreaterThan(20);
  expect(names).toEqual(
    expect.arrayContaining(['GET /marketplace/exports/logs', 'POST /v1/sessions', 'DELETE /v1/keys/:id']),
  );
});

it('lets nobody in without credentials', async () => {
  for (const route of routes()) {
    const answer = await send(harness.service.url + filled(route), route.method, bodyOf(route));
    const expected = route.path === '/v1/sessions' ? 400 : 401;
    expect([route, answer.status, answer.body['code']]).toEqual([route, expected, expected]);
  }
});

it("shows and changes nothing of another organization's", async () => {
  const before = await everythingOfMine();
  let others = 0;
  for (const route of routes().filter(({ path }) => path !== '/v1/sessions')) {
    const path = filled(route);
    // One of its own for each route: the limit of requests must not be the reason for a refusal.
    const other = await harness.organization(`iso-${(others += 1)}`);
    const authorization = `Bearer ${await signIn(other)}`;
    const ask = (url: string, body: object | undefined) =>
      send(harness.service.url + url, route.method, body, { authorization });
    const answers = [
      await ask(path, bodyOf(route)),
      await ask(`${path}?organization_id=iso-mine`, bodyOf(route)),
      await ask(path, bodyOf(route, { organization_id: 'iso-mine' })),
    ];
    const [plain, named] = answers.map(({ status }) => status);
    const about = `${route.method} ${path}`;
    if (path !== route.path || route.path === '/v1/exports/execute') expect([about, plain]).toEqual([about, 404]);
    expect([about, named === 403 || named === 404]).toEqual([about, true]);
    for (const { text, status } of answers) {
      const leaked = marks.filter((mark) => text.includes(mark) && !path.includes(mark));
      expect([about, status, leaked]).toEqual([about, status, []]);
    }
  }
  expect(await everythingOfMine()).toEqual(before);
});
