import { type Answer, type Client, type Harness, send, startHarness } from './harness';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({
    // Nobody answers there: the cloud is down.
    S3_ENDPOINT: 'http://127.0.0.1:1',
    IAM_ENDPOINT: 'http://127.0.0.1:1',
    AWS_ACCOUNT_ID: '999999999999',
  });
});
afterAll(() => harness.close());

const PATH = '/v1/marketplace/integrations';
const NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

function expectError(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(Object.keys(answer.body)).toEqual(['code', 'name', 'message', 'errors']);
  expect(answer.body).toMatchObject({ code: status, name: NAMES[status], message: expect.stringMatching(/\w/) });
  expect(answer.text).not.toMatch(/node_modules|\.ts:|at \w+ \(/);
}

const raw = (client: Client, body: string, type: string) =>
  fetch(harness.service.url + PATH, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.key.combined}`, 'content-type': type },
    body,
  }).then(async (response) => {
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  });

describe('every error', () => {
  it("has the contract's body", async () => {
    const client = await harness.organization('errors');
    expectError(await client.send('POST', PATH, {}), 400);
    expectError(await raw(client, '{"a":', 'application/json'), 400);
    expectError(await raw(client, '{"__proto__":{"a":1}}', 'application/json'), 400);
    expectError(await raw(client, `{"a":${'['.repeat(50)}${']'.repeat(50)}}`, 'application/json'), 400);
    expectError(await raw(client, 'a=1', 'application/x-www-form-urlencoded'), 415);
    expectError(await raw(client, JSON.stringify({ a: 'x'.repeat(1_100_000) }), 'application/json'), 413);
    expectError(await send(harness.service.url + PATH, 'GET'), 401);
    expectError(await send(harness.service.url + PATH, 'GET', undefined, { authorization: 'Bearer a.b.c' }), 401);
    expectError(
      await send(harness.service.url + PATH, 'GET', undefined, { authorization: `Bearer ${client.key.id}.wrong` }),
      401,
    );
    expectError(await client.send('GET', `${PATH}?organization_id=another`), 403);
    expectError(await client.send('GET', `${PATH}/unknown123`), 404);
    expectError(await client.send('GET', `${PATH}/..%2f..%2fetc`), 404);
    expectError(await client.send('GET', `${PATH}/%00`), 404);
    expectError(await client.send('GET', '/v1/keys/%00'), 404);
    expectError(await client.send('PUT', PATH), 404);
    expectError(await client.send('GET', `${PATH}?type_id=%00`), 400);
    expectError(await client.send('POST', '/v1/keys', { name: 'a\0b' }), 400);
    expectError(await client.send('PATCH', `/v1/keys/${client.key.id}`, 'null'), 400);
  });

  it('of a cloud that is down says to try again, and leaves nothing behind', async () => {
    const client = await harness.organization('down');
    const answer = await client.send('POST', PATH, {
      type_id: 'batch-exports-s3',
      authentication: { account_id: '111122223333' },
      properties: { frequency: 1 },
      mappings: [],
    });
    expectError(answer, 503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.text).not.toContain('127.0.0.1');
    expect(await client.send('GET', PATH)).toMatchObject({ body: { total: 0 } });
  });

  it('is the same for too many requests, which are counted for all keys of an organization together', async () => {
    const client = await harness.organization('busy');
    const made = await client.send('POST', '/v1/keys', { name: 'second' });
    const second = { authorization: `Bearer ${String(made.body['id'])}.${String(made.body['secret'])}` };
    expect(made.headers.get('ratelimit')).toMatch(/^limit=100, remaining=99, reset=\d+$/);
    expect(made.headers.get('ratelimit-policy')).toBe('100;w=15');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => send(`${harness.service.url}/v1/quotas`, 'GET', undefined, second)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    for (const answer of refused) {
      expectError(answer, 429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });
});

describe('keys', () => {
  it('show their secret once, can be disabled, and removed', async () => {
    const client = await harness.organization('keys');
    const made = await client.send('POST', '/v1/keys', { name: 'reporting', description: 'Nightly' });
    const { id, secret } = made.body;
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'reporting',
        description: 'Nightly',
        organization_id: 'keys',
        enabled: true,
        is_internal: false,
        created_at: expect.any(String),
        secret: expect.stringMatching(/^[\w-]{43}$/),
      },
    });
    const path = `/v1/keys/${String(id)}`;
    const list = await client.send('GET', '/v1/keys?$sort=name');
    expect(list).toMatchObject({
      body: { total: 2, limit: 100, skip: 0, data: [{ name: 'reporting' }, { name: 'test' }] },
    });
    for (const answer of [list, await client.send('GET', path)]) expect(answer.text).not.toContain(String(secret));

    const signIn = () => send(`${harness.service.url}/v1/sessions`, 'POST', { type: 'api-key', key: id, secret });
    expect(await signIn()).toMatchObject({ status: 200 });
    expect(await client.send('PATCH', path, { enabled: false, name: 'old' })).toMatchObject({
      body: { enabled: false, name: 'old', description: 'Nightly' },
    });
    expect(await signIn()).toMatchObject({ status: 400 });
    expect(await client.send('PUT', path, { name: 'new' })).toMatchObject({
      status: 200,
      body: { enabled: true, name: 'new', description: '' },
    });
    expect(await client.send('PUT', path, {})).toMatchObject({ status: 400 });
    expect(await signIn()).toMatchObject({ status: 200 });
    expect(await client.send('PATCH', path, { secret: 'mine' })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'secret' }] },
    });
    expect(await client.send('DELETE', path)).toMatchObject({ status: 204 });
    expect(await client.send('DELETE', path)).toMatchObject({ status: 404 });
    expect(await signIn()).toMatchObject({ status: 400 });
    expect(harness.logs.join('')).not.toContain(String(secret));
  });
});
