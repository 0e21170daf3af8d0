import { type Harness, send, startHarness } from './harness';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

describe('integrations-api', () => {
  it.each(['/health/live', '/health/ready', '/metrics', '/docs', '/docs-json'])('serves %s', async (path) => {
    expect(await send(harness.service.url + path, 'GET')).toMatchObject({ status: 200 });
  });

  it('signs in with the two halves of a key, and not with a wrong one', async () => {
    const { key } = await harness.organization('boot');
    const sessions = `${harness.service.url}/v1/sessions`;
    const session = await send(sessions, 'POST', { type: 'api-key', key: key.id, secret: key.secret });
    expect(session).toMatchObject({ status: 200, body: { type: 'api-key', key: key.id } });
    const authorization = `Bearer ${String(session.body['access_token'])}`;
    const own = await send(`${harness.service.url}/v1/organizations/boot`, 'GET', undefined, { authorization });
    expect(own).toMatchObject({ status: 200, body: { id: 'boot', exports_guests: false } });
    expect(await send(sessions, 'POST', { type: 'api-key', key: key.id, secret: 'wrong' })).toMatchObject({
      status: 400,
      body: { code: 400, name: 'BadRequest', message: 'Invalid authentication information', errors: {} },
    });
  });

  it('answers what it does not know with the body of the contract', async () => {
    expect(await send(`${harness.service.url}/v1/nothing`, 'GET')).toMatchObject({
      status: 404,
      body: { code: 404, name: 'NotFound', message: 'Page not found', errors: {} },
    });
  });
});
