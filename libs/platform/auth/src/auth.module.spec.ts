import type { RunningService } from '@delivery/platform/service';
import { asked, boot, database, issued, lines, off, other, records } from '../test/app';
import { generateApiKey, hashSecret } from './index';

const bodies: string[] = [];
let service: RunningService;
let token: string;

async function call(path: string, init: RequestInit = {}, base = service.url) {
  const response = await fetch(base + path, init);
  const text = await response.text();
  bodies.push(text);
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
}

function post(path: string, body: unknown, headers: Record<string, string> = {}, base = service.url) {
  const json = { 'content-type': 'application/json', ...headers };
  return call(
    path,
    { method: 'POST', headers: json, body: typeof body === 'string' ? body : JSON.stringify(body) },
    base,
  );
}

const logIn = ({ id, secret }: { id: string; secret: string }, base = service.url) =>
  post('/v1/sessions', { type: 'api-key', key: id, secret }, {}, base);
const withToken = () => ({ authorization: `Bearer ${token}` });

beforeAll(async () => {
  service = await boot(10_000);
  token = (await logIn(issued)).body.access_token;
});
afterAll(() => service.stop());

describe('POST /v1/sessions', () => {
  const invalid = { code: 400, name: 'BadRequest', message: 'Invalid authentication information', errors: {} };

  it('answers type, key and an access token', async () => {
    const { status, body, headers } = await logIn(issued);
    expect(status).toBe(200);
    expect(body).toEqual({
      type: 'api-key',
      key: issued.id,
      access_token: expect.stringMatching(/^[\w-]+(\.[\w-]+){2}$/),
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await call('/v1/things', { headers: { authorization: `Bearer ${body.access_token}` } })).body).toEqual({
      organization: 'acme',
      key: issued.id,
    });
  });

  it.each([
    ['a wrong secret', { id: issued.id, secret: other.secret }],
    ['an unknown key', { id: 'nobody', secret: issued.secret }],
    ['a disabled key', off],
    ['no secret', { id: issued.id, secret: '' }],
    ['an id that cannot be one', { id: 'a\0b', secret: 'x' }],
  ])('answers 400 with the contract body for %s', async (_, credentials) => {
    const { status, body } = await logIn(credentials);
    expect(status).toBe(400);
    expect(body).toEqual(invalid);
  });

  it('does not ask for an id that cannot be one', async () => {
    asked.splice(0);
    await logIn({ id: `k'; drop table`, secret: 'x' });
    expect(asked).toEqual([]);
  });

  it('says that e-mail sessions are not offered', async () => {
    const { status, body } = await post('/v1/sessions', { type: 'email', key: 'a@b.c', secret: 'CANARY' });
    expect(status).toBe(400);
    expect(body.message).toBe('Sessions of type email are not offered here: use an API key and type api-key.');
    expect(body.errors).toEqual([{ field: 'type', message: 'must be api-key' }]);
  });

  it('names every field at fault', async () => {
    const { status, body } = await post('/v1/sessions', { type: 'oauth', secret: ['CANARY'], extra: 'CANARY' });
    expect(status).toBe(400);
    expect(body.message).toBe('The request is not valid: see errors.');
    expect(new Set(body.errors.map(({ field }: { field: string }) => field))).toEqual(
      new Set(['type', 'key', 'secret', 'extra']),
    );
    expect(body.errors).toContainEqual({ field: 'extra', message: 'is not a field of this request' });
  });

  it('gives the session of the token itself, and no other', async () => {
    const { body } = await logIn(issued);
    const id = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString()).jti;
    const headers = { authorization: `Bearer ${body.access_token}` };
    const found = await call(`/v1/sessions/${id}`, { headers });
    expect(found.body).toMatchObject({ id, type: 'api-key', key: issued.id, organization_id: 'acme' });
    expect(Date.parse(found.body.expires_at) - Date.parse(found.body.created_at)).toBe(3_600_000);
    expect((await call(`/v1/sessions/${id}`, { headers: withToken() })).status).toBe(404);
  });

  it('lets a token live on when its key is disabled, but gives no new one', async () => {
    const key = generateApiKey();
    const record = { id: key.id, organizationId: 'acme', enabled: true, ...hashSecret(key.secret) };
    records.set(key.id, record);
    const headers = { authorization: `Bearer ${(await logIn(key)).body.access_token}` };
    records.set(key.id, { ...record, enabled: false });
    expect((await logIn(key)).status).toBe(400);
    expect((await call('/v1/things', { headers })).status).toBe(200);
  });
});

describe('AuthGuard', () => {
  it.each([
    ['nothing', {}, 'Authentication is missing: send Authorization: Bearer <access token of POST /v1/sessions>.'],
    ['another scheme', { authorization: 'Digest x' }, expect.stringContaining('not of a form accepted here')],
    ['no token of ours', { authorization: 'Bearer CANARY.CANARY.CANARY' }, expect.stringContaining('not valid')],
  ])('answers 401 for %s', async (_, headers: Record<string, string>, message) => {
    const answer = await call('/v1/things', { headers });
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({ code: 401, name: 'Unauthorized', message, errors: {} });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each([
    ['header', '/v1/keys', { 'x-api-key': issued.combined }],
    ['query', `/v1/keys?APIKey=${issued.combined}`, {}],
    ['App', '/v1/keys', { authorization: `App ${issued.combined}` }],
    ['raw', '/v1/keys', { authorization: issued.combined }],
    ['Basic', '/v1/keys', { authorization: `Basic ${btoa(`${issued.id}:${issued.secret}`)}` }],
  ])('accepts an API key by %s where that is accepted', async (_, path, headers: Record<string, string>) => {
    expect((await call(path, { headers })).body).toEqual({ organizationId: 'acme' });
    expect((await call(path.replace('keys', 'things'), { headers })).status).toBe(401);
  });

  it('does not accept a disabled key, or a session where only keys are accepted', async () => {
    expect((await call('/v1/keys', { headers: { 'x-api-key': off.combined } })).status).toBe(401);
    expect((await call('/v1/keys', { headers: withToken() })).status).toBe(401);
  });

  it('keeps a route closed that says nothing about authentication', async () => {
    expect((await call('/v1/forgotten', { headers: withToken() })).status).toBe(500);
    expect(lines.join('')).toContain('ForgottenController.get has neither @Accepts nor @Public');
  });

  it('keeps organizations apart', async () => {
    const answer = await call('/v1/things?organization_id=other', { headers: withToken() });
    expect(answer.status).toBe(403);
    expect(answer.body.name).toBe('Forbidden');
  });

  it('answers 503 with Retry-After while keys cannot be looked up', async () => {
    database.away = true;
    const answer = await logIn(issued);
    database.away = false;
    expect(answer.status).toBe(503);
    expect(answer.body.name).toBe('ServiceUnavailable');
    expect(answer.headers.get('retry-after')).toBe('5');
  });
});

describe('errors', () => {
  it('has one shape for everything', async () => {
    const headers = withToken();
    expect((await call('/v1/nowhere?apiKey=CANARY')).body).toEqual({
      code: 404,
      name: 'NotFound',
      message: 'Page not found',
      errors: {},
    });
    expect((await call('/v1/things/7', { headers })).body.message).toBe('There is no thing 7.');
    expect(await post('/v1/things', '{', headers)).toMatchObject({ status: 400, body: { name: 'BadRequest' } });
    expect(await post('/v1/things', '{"__proto__":{}}', headers)).toMatchObject({ status: 400 });
    expect(await post('/v1/things', '', headers)).toMatchObject({ status: 400 });
    expect(await post('/v1/things', 'a=1', { ...headers, 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { name: 'UnsupportedMediaType', message: expect.stringContaining('application/json') },
    });
    expect(await post('/v1/things', JSON.stringify('x'.repeat(20_001)), headers)).toMatchObject({
      status: 413,
      body: { name: 'PayloadTooLarge' },
    });
    expect((await call('/v1/%E0%A4%A?apiKey=CANARY', { headers })).body).toMatchObject({ code: 400, errors: {} });
    expect((await call(`/v1/things/${'x'.repeat(1025)}`, { headers })).body).toMatchObject({ code: 414, errors: {} });
  });

  it('names nested fields by their path', async () => {
    const good = { frequency: 1, authentication: { account_id: 'a', json_key: '1' } };
    expect((await post('/v1/things', good, withToken())).body).toEqual({ class: 'Thing' });
    const bad = { frequency: 'CANARY', authentication: { account_id: 7, json_key: 'CANARY', more: 1 } };
    expect((await post('/v1/things', bad, withToken())).body).toEqual({
      code: 400,
      name: 'BadRequest',
      message: 'The request is not valid: see errors.',
      errors: expect.arrayContaining([
        { field: 'frequency', message: 'must be an integer number' },
        { field: 'authentication.account_id', message: 'must be a string' },
        { field: 'authentication.json_key', message: 'is not a key' },
        { field: 'authentication.more', message: 'is not a field of this request' },
      ]),
    });
    const one = await post('/v1/things', { ...good, frequency: 1.5 }, withToken());
    expect(one.body.message).toBe('The request is not valid: frequency: must be an integer number.');
  });

  it('names each field once, with the rule that says most', async () => {
    const { status, body } = await post('/v1/sessions', {});
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      { field: 'type', message: 'must be one of the following values: api-key, email' },
      { field: 'key', message: 'must be a string' },
      { field: 'secret', message: 'must be a string' },
    ]);
    expect((await post('/v1/things', { frequency: 1, authentication: null }, withToken())).body.errors).toHaveLength(1);
  });

  it('tells what is wrong between fields beside what is wrong with each', async () => {
    const authentication = { account_id: 'a', json_key: '1' };
    const both = await post(
      '/v1/things',
      { frequency: 2, authentication: { ...authentication, more: 1 } },
      withToken(),
    );
    expect(both.body.errors).toEqual([
      { field: 'authentication.more', message: 'is not a field of this request' },
      { field: 'authentication.json_key', message: 'is not used twice a day' },
    ]);
    const one = await post('/v1/things', { frequency: 2, authentication }, withToken());
    expect(one.body.message).toBe('The request is not valid: authentication.json_key: is not used twice a day.');
    const same = await post('/v1/things', { frequency: 2, authentication: { account_id: 'a' } }, withToken());
    expect(same.body.errors).toEqual([{ field: 'authentication.json_key', message: 'is not a key' }]);
  });

  it.each(['null', '[]', '[{}]', '5', '"x"', ''])('takes no %j for an object', async (body) => {
    const answer = await post('/v1/sessions', body);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toBe('The body must be a JSON object, sent with Content-Type: application/json.');
  });

  it('lets no NUL and no half character of a URL through', async () => {
    const headers = withToken();
    expect((await call('/v1/things/a%00b', { headers })).body).toMatchObject({ code: 404, message: 'Page not found' });
    expect((await call('/v1/things?name=a%00b', { headers })).body).toMatchObject({
      code: 400,
      errors: [{ field: 'name', message: 'holds NUL or is no valid text' }],
    });
    expect((await call('/v1/things?a=1&a=%00&b%00=1', { headers })).body.errors).toHaveLength(2);
  });

  it('refuses bodies nested too deep, without falling over', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect((await post('/v1/any', nested(32), withToken())).status).toBe(201);
    expect((await post('/v1/any', nested(33), withToken())).body.message).toBe(
      'The body is nested deeper than 32 levels.',
    );
    expect((await post('/v1/any', nested(9_999), withToken())).status).toBe(400);
    expect((await post('/v1/things', `{"authentication":${nested(9_900)}}`, withToken())).status).toBe(400);
  });

  it('says nothing about our side but the request id', async () => {
    for (const path of ['/v1/broken', '/v1/internal']) {
      const { status, body, headers } = await call(path);
      expect(status).toBe(500);
      expect(body).toEqual({
        code: 500,
        name: 'InternalServerError',
        message: `Something went wrong on our side. If it happens again, report it with the request id ${headers.get('x-request-id')}.`,
        errors: {},
      });
      expect(lines.some((line) => line.includes(String(headers.get('x-request-id'))))).toBe(true);
    }
    const passing = await call('/v1/away');
    expect(passing.status).toBe(503);
    expect(passing.headers.get('retry-after')).toBe('5');
  });

  it('cuts the connection when half an answer is out', async () => {
    await expect(fetch(`${service.url}/v1/half`).then((response) => response.text())).rejects.toThrow();
  });
});

describe('rate limit', () => {
  it('is one per organization, told in headers, with 429 and Retry-After', async () => {
    const limited = await boot(3);
    try {
      const get = (path: string, headers: Record<string, string>) => call(path, { headers }, limited.url);
      const logged = await logIn(issued, limited.url);
      expect(logged.headers.get('ratelimit')).toBe('limit=3, remaining=2, reset=15');
      expect(logged.headers.get('ratelimit-policy')).toBe('3;w=15');
      const session = { authorization: `Bearer ${logged.body.access_token}` };
      expect((await get('/v1/things', session)).headers.get('ratelimit')).toMatch(
        /^limit=3, remaining=1, reset=1[45]$/,
      );
      expect((await get('/v1/keys', { 'x-api-key': issued.combined })).status).toBe(200);

      const refused = await get('/v1/things', session);
      expect(refused.status).toBe(429);
      expect(refused.body).toMatchObject({ code: 429, name: 'TooManyRequests', errors: {} });
      expect(refused.headers.get('ratelimit')).toMatch(/remaining=0/);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(14);
      expect((await logIn(issued, limited.url)).status).toBe(429);

      const free = await get('/v1/consents/users', session);
      expect([free.status, free.headers.get('ratelimit')]).toEqual([200, null]);
      expect((await get('/v1/consents/nothing?$include_full_tree=true', session)).status).toBe(404);
      expect((await get('/v1/consents/users?$include_full_tree=true', session)).status).toBe(429);
      expect((await get('/v1/consents/users?%24include_full_tree=true', session)).status).toBe(429);
      expect((await get('/v1/keys', { 'x-api-key': other.combined })).status).toBe(200);
      expect((await fetch(`${limited.url}/health/ready`)).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('credentials that are not true', () => {
  it('are limited for each address before the database is asked; keys that are known go on', async () => {
    const limited = await boot(10_000);
    try {
      const status = async (key: string) =>
        (await call('/v1/keys', { headers: { 'x-api-key': key } }, limited.url)).status;
      expect(await status(issued.combined)).toBe(200);
      asked.splice(0);
      const invented = await Promise.all(Array.from({ length: 300 }, (_, n) => status(`id-${n}.secret`)));
      expect(invented.filter((each) => each === 401)).toHaveLength(100);
      expect(invented.filter((each) => each === 429)).toHaveLength(200);
      expect(asked).toHaveLength(100);
      const refused = await call('/v1/keys', { headers: { 'x-api-key': 'another.secret' } }, limited.url);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.body).toMatchObject({ code: 429, name: 'TooManyRequests' });
      expect(await status(`${issued.id}.wrong`)).toBe(429);
      expect(await status(issued.combined)).toBe(200);
    } finally {
      await limited.stop();
    }
  });

  it('are none while the database is away, nor are keys that are true', async () => {
    const limited = await boot(10_000);
    try {
      const status = async (key: string) =>
        (await call('/v1/keys', { headers: { 'x-api-key': key } }, limited.url)).status;
      database.away = true;
      const away = await Promise.all(Array.from({ length: 90 }, (_, n) => status(`id-${n}.secret`)));
      database.away = false;
      expect(new Set(away)).toEqual(new Set([503]));
      const once = await Promise.all(Array.from({ length: 200 }, () => status(issued.combined)));
      expect(new Set(once)).toEqual(new Set([200]));
      expect(await status('another.secret')).toBe(401);
    } finally {
      await limited.stop();
    }
  });
});

describe('canaries', () => {
  it('are in no answer, and nowhere in the logs but in the message of an error of our own making', () => {
    expect(bodies.length).toBeGreaterThan(60);
    expect(bodies.join('')).not.toContain('CANARY');
    const log = lines.join('');
    for (const { secret } of [issued, other, off]) {
      expect(log).not.toContain(secret);
      expect(bodies.join('')).not.toContain(secret);
    }
    expect(log).not.toContain(token);
    expect(
      log
        .replaceAll('CANARY in an error', '')
        .replaceAll('CANARY for developers', '')
        .replaceAll('ECONNREFUSED CANARY', ''),
    ).not.toContain('CANARY');
  });
});
