import { routesOf } from '@delivery/platform/testing';
import { event, type Harness, shown, startHarness } from './harness';

let harness: Harness;
let call: Harness['call'];

beforeAll(async () => {
  harness = await startHarness('acme', 'other', 'intruder');
  ({ call } = harness);
});
afterAll(() => harness.close());

describe('another organization', () => {
  it("shows and changes nothing of another organization's, on any route", async () => {
    const mine = { ...event('only-mine', 'only-my-user'), metadata: { mark: 'MARK' } };
    await call('POST', '/v1/consents/events', mine);
    const stored = await call('GET', '/v1/consents/events/only-mine');
    // Reading comes first: what the intruder then records is his own.
    const routes = routesOf(harness.service.app)
      .filter(({ path }) => !path.startsWith('/v1/sessions'))
      .sort((a, b) => a.method.localeCompare(b.method) || a.path.localeCompare(b.path));
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/consents/events',
      'GET /v1/consents/events/:id',
      'GET /v1/consents/users',
      'GET /v1/consents/users/:id',
      'POST /v1/consents/events',
      'POST /v1/consents/interactions',
    ]);
    for (const { method, path } of routes) {
      const id = path.includes('users') ? 'only-my-user' : 'only-mine';
      const query = path === '/v1/consents/events' && method === 'GET' ? '?user_id=only-my-user&' : '?';
      const url = path.replace(':id', id) + query;
      const posted = path.includes('interactions')
        ? shown('only-mine')
        : { ...mine, metadata: {}, user: { id: 'theirs' } };
      const body = method === 'POST' ? posted : undefined;
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
});
