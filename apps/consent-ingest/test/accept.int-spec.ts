import { migrations as consentMigrations } from '@delivery/consent/store';
import { topicSpecs } from '@delivery/consent/schema';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import {
  ApiKeyStore,
  entities,
  migrations as integrationsMigrations,
  OrganizationStore,
} from '@delivery/integrations/store';
import { generateApiKey, hashSecret } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { bootService, type RunningService } from '@delivery/platform/service';
import {
  ApiReference,
  routesOf,
  stackEnvironment,
  testDatabase,
  testKafka,
  type TestDatabase,
  type TestKafka,
} from '@delivery/platform/testing';
import { definition } from '../app.module';

describe('consents API', () => {
  let test: TestDatabase;
  let kafka: TestKafka;
  let service: RunningService;
  let reference: ApiReference;
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    test = await testDatabase({ migrations: [...ingestMigrations, ...consentMigrations, ...integrationsMigrations] });
    kafka = await testKafka(topicSpecs(2));
    const env = { ...stackEnvironment(), DATABASE_URL: test.config.url, KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix };
    service = await bootService(definition, env);
    reference = await ApiReference.of(service.url);
    for (const organization of ['acme', 'other', 'intruder']) tokens.set(organization, await signIn(organization));
  });
  afterAll(async () => {
    await service.stop();
    await kafka.close();
    await test.close();
  });

  async function signIn(organizationId: string): Promise<string> {
    const database = await new Database(test.config, { applicationName: 'test', entities }).open();
    await new OrganizationStore(database).create({ organizationId, name: organizationId, exportsGuests: false });
    const issued = generateApiKey();
    await new ApiKeyStore(database).create(
      { organizationId, id: issued.id, name: 'test', description: '' },
      hashSecret(issued.secret),
    );
    await database.close();
    const answer = await fetch(`${service.url}/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'api-key', key: issued.id, secret: issued.secret }),
    });
    const session = (await answer.json()) as { access_token: string };
    return session.access_token;
  }

  async function call(
    method: string,
    path: string,
    body?: unknown,
    options: { as?: string; headers?: Record<string, string> } = {},
  ) {
    const answer = await fetch(`${service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get(options.as ?? 'acme')}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const [status, text] = [answer.status, await answer.text()];
    // Whatever a test is about, its answer is one that the reference describes.
    reference.check(method, path, { status, contentType: answer.headers.get('content-type'), text });
    return { status, body: JSON.parse(text) };
  }

  const event = (id: string, user: string, enabled = true) => ({
    id,
    user: { id: user, organization_user_id: `${user}@x.io` },
    consents: { purposes: [{ id: 'cookies', enabled }] },
  });

  it('answers a single event as it was stored, and the user shows it', async () => {
    const posted = await call('POST', '/v1/consents/events?organization_id=acme', event('e1', 'u1'));
    expect(posted).toMatchObject({
      status: 200,
      body: { id: 'e1', organization_id: 'acme', status: 'confirmed', source: 'api', version: 1, user: { id: 'u1' } },
    });
    await expect(call('GET', '/v1/consents/events/e1')).resolves.toEqual(posted);
    const user = await call('GET', '/v1/consents/users/u1?organization_id=acme');
    expect(user).toMatchObject({
      status: 200,
      body: {
        id: 'u1',
        version: 1,
        organization_user_id: 'u1@x.io',
        consents: { purposes: [{ id: 'cookies', enabled: true }] },
      },
    });
    await expect(call('GET', '/v1/consents/users/u1@x.io?$by_organization_user_id=true')).resolves.toEqual(user);
  });

  it('takes the organization from the body, the query, or the key', async () => {
    await expect(
      call('POST', '/v1/consents/events', { ...event('e2', 'u2'), organization_id: 'acme' }),
    ).resolves.toMatchObject({ status: 200 });
    await expect(call('POST', '/v1/consents/events', event('e3', 'u2'))).resolves.toMatchObject({
      status: 200,
      body: { organization_id: 'acme' },
    });
    await expect(
      call('POST', '/v1/consents/events?organization_id=acme', { ...event('e4', 'u2'), organization_id: 'other' }),
    ).resolves.toMatchObject({ status: 400 });
    await expect(call('POST', '/v1/consents/events?organization_id=other', event('e5', 'u2'))).resolves.toMatchObject({
      status: 403,
    });
  });

  it('answers a repeated id with the event that was stored first', async () => {
    await call('POST', '/v1/consents/events', event('twice', 'u3', true));
    const again = await call('POST', '/v1/consents/events', event('twice', 'u3', false));
    expect(again).toMatchObject({ status: 200, body: { consents: { purposes: [{ enabled: true }] } } });
    await expect(call('GET', '/v1/consents/users/u3')).resolves.toMatchObject({ body: { version: 1 } });
  });

  it("derives one user from the customer's own id", async () => {
    const post = (id: string) =>
      call('POST', '/v1/consents/events', { id, user: { organization_user_id: 'known@x.io' } });
    const [a, b] = [await post('d1'), await post('d2')];
    expect(a.body.user.id).toBe(b.body.user.id);
  });

  it.each(['a/b?c#d%e', '\u{1F6B2}'.repeat(512)])(
    'tells of a user by any id that the customer may give: %s',
    async (own) => {
      await call('POST', '/v1/consents/events', { user: { organization_user_id: own } });
      await expect(
        call('GET', `/v1/consents/users/${encodeURIComponent(own)}?$by_organization_user_id=true`),
      ).resolves.toMatchObject({ status: 200, body: { organization_user_id: own } });
    },
  );

  it('stores a pending event and does not apply it', async () => {
    await expect(
      call('POST', '/v1/consents/events', { ...event('p1', 'u4'), status: 'pending_approval' }),
    ).resolves.toMatchObject({ status: 200, body: { status: 'pending_approval' } });
    await expect(call('GET', '/v1/consents/users/u4')).resolves.toMatchObject({ status: 404 });
    await expect(call('GET', '/v1/consents/events?user_id=u4')).resolves.toMatchObject({ body: { data: [] } });
    await expect(
      call('GET', '/v1/consents/events?user_id=u4&status[$in]=confirmed&status[$in]=pending_approval'),
    ).resolves.toMatchObject({ body: { data: [{ id: 'p1' }] } });
  });

  it('tells every field that is wrong', async () => {
    const answer = await call('POST', '/v1/consents/events', {
      id: '../',
      status: 'x',
      consents: { purposes: [{ id: 'a', enable: 1 }] },
      proofs: [],
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 400, name: 'BadRequest' } });
    expect(answer.body.errors.map((e: { field: string }) => e.field).sort()).toEqual([
      'consents.purposes.0.enable',
      'id',
      'proofs',
      'status',
    ]);
  });

  it('gives a result per item of an array', async () => {
    const mixed = await call('POST', '/v1/consents/events', [event('b1', 'u5'), { id: 5 }, event('b2', 'u5', false)]);
    expect(mixed).toMatchObject({
      status: 207,
      body: {
        data: [
          { index: 0, status: 'accepted', id: 'b1' },
          { index: 1, status: 'refused', errors: [{ field: '1.id' }] },
          { index: 2, status: 'accepted' },
        ],
      },
    });
    await expect(
      call('POST', '/v1/consents/events', [
        event('b4', 'u5'),
        { ...event('b5', 'u5'), organization_id: 'other' },
        { ...event('b6', 'u5'), organization_id: 5 },
      ]),
    ).resolves.toMatchObject({
      status: 207,
      body: {
        data: [
          { status: 'accepted' },
          { status: 'refused', errors: [{ field: '1.organization_id', message: expect.stringContaining('acme') }] },
          { status: 'refused', errors: [{ field: '2.organization_id' }] },
        ],
      },
    });
    await expect(call('POST', '/v1/consents/events', [event('b3', 'u5')])).resolves.toMatchObject({ status: 200 });
    await expect(call('POST', '/v1/consents/events', [{ id: 5 }, 'x'])).resolves.toMatchObject({
      status: 400,
      body: { errors: [{ field: '0.id' }, { field: '1' }] },
    });
    await expect(call('POST', '/v1/consents/events', [])).resolves.toMatchObject({ status: 400 });
    await expect(
      call(
        'POST',
        '/v1/consents/events',
        Array.from({ length: 101 }, (_, i) => event(`x${i}`, 'u')),
      ),
    ).resolves.toMatchObject({ status: 400 });
  });

  it('answers on acknowledgement when asked to', async () => {
    const answer = await call(
      'POST',
      '/v1/consents/events',
      { user: { id: 'u6' } },
      { headers: { prefer: 'respond-async' } },
    );
    expect(answer).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
  });

  it('pages users with a cursor that ends in null', async () => {
    await call(
      'POST',
      '/v1/consents/events',
      Array.from({ length: 7 }, (_, i) => event(`page${i}`, `page-user-${i}`)),
    );
    await call('POST', '/v1/consents/events', event('page-last', 'page-user-7'));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { body: { data: { id: string }[]; cursor: string | null } } = await call(
        'GET',
        `/v1/consents/users?$limit=3${cursor && `&$cursor=${cursor}`}`,
      );
      seen.push(...page.body.data.map((user) => user.id));
      cursor = page.body.cursor;
    }
    expect(seen.filter((id) => id.startsWith('page-user-'))).toHaveLength(8);
    expect(new Set(seen).size).toBe(seen.length);
    await expect(call('GET', '/v1/consents/users?$cursor=nonsense')).resolves.toMatchObject({ status: 400 });
    await expect(call('GET', '/v1/consents/users?$limit=101')).resolves.toMatchObject({ status: 400 });
  });

  it('refuses what a list does not know, instead of answering with everything', async () => {
    const faults = async (query: string) => {
      const answer = await call('GET', `/v1/consents/${query}`);
      return [answer.status, answer.body.errors?.[0]?.field];
    };
    await expect(faults('users?organization_user=jane')).resolves.toEqual([400, 'organization_user']);
    await expect(faults('users?organization_user_id=')).resolves.toEqual([400, 'organization_user_id']);
    await expect(faults('users?organization_user_id=%00')).resolves.toEqual([400, 'organization_user_id']);
    await expect(faults('users?$skip=100')).resolves.toEqual([400, '$skip']);
    await expect(faults('users?$limit=1e1')).resolves.toEqual([400, '$limit']);
    await expect(faults('events?user_id=u1&statuss=confirmed')).resolves.toEqual([400, 'statuss']);
    await expect(faults('events?user_id=u1&status=')).resolves.toEqual([400, 'status']);
    await expect(faults('events?user_id=u1&status[$in]=removed')).resolves.toEqual([400, 'status']);
    await expect(faults('users?regulation=gdpr&$limit=1&$include_full_tree=true')).resolves.toEqual([200, undefined]);
    await expect(call('GET', '/v1/consents/users/%00')).resolves.toMatchObject({ status: 404 });
    await expect(call('GET', '/v1/consents/events/%00')).resolves.toMatchObject({ status: 404 });
  });

  it("finds a pending event by the customer's own id of a user who has nothing else", async () => {
    const user = { organization_user_id: 'waiting@x.io' };
    await call('POST', '/v1/consents/events', { id: 'p2', status: 'pending_approval', user });
    const list = '/v1/consents/events?organization_user_id=waiting@x.io';
    await expect(call('GET', `${list}&status=pending_approval`)).resolves.toMatchObject({
      body: { data: [{ id: 'p2' }] },
    });
    await expect(call('GET', list)).resolves.toMatchObject({ body: { data: [] } });
  });

  it('takes no text that is not UTF-8: two ids would become one', async () => {
    const answer = await fetch(`${service.url}/v1/consents/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.get('acme')}`, 'content-type': 'application/json' },
      body: Buffer.from('{"id":"latin","user":{"organization_user_id":"Zo\xeb"}}', 'latin1'),
    });
    expect(answer.status).toBe(400);
    await expect(call('GET', '/v1/consents/events/latin')).resolves.toMatchObject({ status: 404 });
  });

  it('has a reference whose examples keep to its schemas, and whose requests work as they stand', async () => {
    expect(reference.exampleFaults()).toEqual([]);
    const requests = reference.requestExamples('POST', '/v1/consents/events');
    expect(requests).toHaveLength(2);
    for (const request of requests) {
      await expect(call('POST', '/v1/consents/events', request)).resolves.toMatchObject({ status: 200 });
    }
    await expect(call('GET', '/v1/consents/users?$limit=100')).resolves.toMatchObject({ status: 200 });
  });

  it("shows and changes nothing of another organization's, on any route", async () => {
    const mine = { ...event('only-mine', 'only-my-user'), metadata: { mark: 'MARK' } };
    await call('POST', '/v1/consents/events', mine);
    const stored = await call('GET', '/v1/consents/events/only-mine');
    // Reading comes first: what the intruder then records is his own.
    const routes = routesOf(service.app)
      .filter(({ path }) => !path.startsWith('/v1/sessions'))
      .sort((a, b) => a.method.localeCompare(b.method) || a.path.localeCompare(b.path));
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/consents/events',
      'GET /v1/consents/events/:id',
      'GET /v1/consents/users',
      'GET /v1/consents/users/:id',
      'POST /v1/consents/events',
    ]);
    for (const { method, path } of routes) {
      const id = path.includes('users') ? 'only-my-user' : 'only-mine';
      const query = path === '/v1/consents/events' && method === 'GET' ? '?user_id=only-my-user&' : '?';
      const url = path.replace(':id', id) + query;
      const body = method === 'POST' ? { ...mine, metadata: {}, user: { id: 'theirs' } } : undefined;
      const plain = await call(method, url, body, { as: 'intruder' });
      const named = await call(method, `${url}organization_id=acme`, body, { as: 'intruder' });
      const inBody = body && (await call(method, url, { ...body, organization_id: 'acme' }, { as: 'intruder' }));
      expect([method, path, named.status, inBody?.status ?? 403]).toEqual([method, path, 403, 403]);
      if (path.includes(':id')) expect([path, plain.status]).toEqual([path, 404]);
      expect(JSON.stringify([plain.body, named.body, inBody?.body])).not.toMatch(/MARK|only-my-user@x\.io|"acme"/);
    }
    await expect(call('GET', '/v1/consents/events/only-mine')).resolves.toEqual(stored);
    await expect(call('GET', '/v1/consents/events/only-mine', undefined, { as: 'intruder' })).resolves.toMatchObject({
      body: { organization_id: 'intruder', user: { id: 'theirs' } },
    });
  });

  it("hides another organization's events and users", async () => {
    await call('POST', '/v1/consents/events', event('mine', 'my-user'));
    for (const path of [
      '/v1/consents/events/mine',
      '/v1/consents/users/my-user',
      '/v1/consents/users/my-user@x.io?$by_organization_user_id=true',
    ]) {
      await expect(call('GET', path, undefined, { as: 'other' })).resolves.toMatchObject({ status: 404 });
      await expect(
        call('GET', `${path}${path.includes('?') ? '&' : '?'}organization_id=acme`, undefined, { as: 'other' }),
      ).resolves.toMatchObject({ status: 403 });
    }
    await expect(call('GET', '/v1/consents/users', undefined, { as: 'other' })).resolves.toMatchObject({
      body: { data: [] },
    });
    await expect(call('GET', '/v1/consents/events?user_id=my-user', undefined, { as: 'other' })).resolves.toMatchObject(
      { body: { data: [] } },
    );
  });

  it('says when to try again while no broker answers, and still tells what is stored', async () => {
    const env = { ...stackEnvironment(), DATABASE_URL: test.config.url, KAFKA_PUBLISH_TIMEOUT_MS: '1000' };
    const cut = await bootService(definition, { ...env, KAFKA_BROKERS: '127.0.0.1:1', INGEST_ROLES: 'accept' });
    try {
      const headers = { authorization: `Bearer ${tokens.get('acme')}`, 'content-type': 'application/json' };
      for (const body of [event('cut', 'u7'), [event('cut', 'u7')]]) {
        const answer = await fetch(`${cut.url}/v1/consents/events`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        });
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(await answer.json()).toMatchObject({ code: 503, name: 'ServiceUnavailable', errors: {} });
      }
      expect((await fetch(`${cut.url}/v1/consents/events?user_id=u7`, { headers })).status).toBe(200);
    } finally {
      await cut.stop();
    }
  });

  it("speaks the contract's errors for what it does not know", async () => {
    await expect(call('GET', '/v1/nothing')).resolves.toEqual({
      status: 404,
      body: { code: 404, name: 'NotFound', message: 'Page not found', errors: {} },
    });
    await expect(call('GET', '/v1/consents/events')).resolves.toMatchObject({ status: 400 });
    await expect(call('POST', '/v1/consents/events?$generate_tcfcs=true', event('t', 'u'))).resolves.toMatchObject({
      status: 400,
    });
    await expect(
      call('GET', '/v1/consents/users', undefined, { headers: { authorization: 'Bearer nonsense' } }),
    ).resolves.toMatchObject({ status: 401, body: { name: 'Unauthorized' } });
  });
});
