import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import type { DestinationErrorCode } from '@delivery/destinations/driver';
import { startStubServer, type StubAnswer, type StubRequest, type StubServer } from '@delivery/destinations/testing';
import { mapSignInError } from './gcs-errors';
import type { GcsDestinationOptions } from './gcs-options';
import { openGcsDestination } from './open-gcs-destination';
import { openGcsReader } from './open-gcs-reader';

const idle = new AbortController().signal;
const body = { contentType: 'text/plain', signal: idle };
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const SECRET = key.export({ type: 'pkcs8', format: 'pem' }).toString();
const account = 'exports@didomi-cmp.iam.gserviceaccount.com';

function refusal(status: number, reason: string, message = 'said the store'): StubAnswer {
  return { status, body: JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }) };
}

describe('Cloud Storage errors', () => {
  let stub: StubServer;
  let answers: (request: StubRequest) => StubAnswer | 'reset' | undefined = () => ({ status: 200 });
  beforeAll(async () => {
    stub = await startStubServer((request) => answers(request));
  });
  afterAll(async () => stub.close());

  const options = (more: Partial<GcsDestinationOptions> = {}): GcsDestinationOptions => ({
    bucket: 'didomi-cmp-bucket',
    projectId: 'didomi-cmp',
    endpoint: stub.endpoint,
    credentials: { client_email: account, private_key: SECRET },
    requestTimeoutMs: 2000,
    ...more,
  });
  const deps = { policy: { tries: 3, baseMs: 1, capMs: 1 } };
  const session = () => ({
    status: 200,
    headers: {
      location: `${stub.endpoint}/upload/storage/v1/b/didomi-cmp-bucket/o?uploadType=resumable&upload_id=up-1`,
    },
  });

  const putFailure = async (more: Partial<GcsDestinationOptions> = {}) => {
    const driver = await openGcsDestination(options(more), deps);
    const before = stub.requests.length;
    const error: unknown = await driver.putObject('data/x', Buffer.from('x'), body).then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    await driver.close();
    const requests = stub.requests.slice(before);
    return { error, requests, begun: requests.filter(({ method }) => method === 'POST').length };
  };

  const once: [number, string, DestinationErrorCode, RegExp][] = [
    [401, 'authError', 'credentials_invalid', /does not accept the key of exports@didomi-cmp/],
    [403, 'forbidden', 'access_denied', /denied storage\.objects\.create to exports@didomi-cmp.*Storage Object Admin/],
    [403, 'insufficientPermissions', 'access_denied', /Grant the service account/],
    [404, 'notFound', 'bucket_not_found', /^Bucket "didomi-cmp-bucket" does not exist\. Create it/],
    [403, 'accountDisabled', 'quota_exceeded', /Enable billing/],
    [403, 'retentionPolicyNotMet', 'object_locked', /retention policy/],
    [413, 'uploadTooLarge', 'object_too_large', /said the store/],
    [400, 'invalid', 'rejected', /HTTP 400: said the store/],
    [302, 'found', 'rejected', /HTTP 302/],
  ];
  it.each(once)('maps %i %s to %s and does not repeat the request', async (status, reason, expected, sentence) => {
    answers = () => refusal(status, reason);
    const { error, begun } = await putFailure();
    expect(error).toMatchObject({ code: expected, retryable: false, message: expect.stringMatching(sentence) });
    expect(begun).toBe(1);
  });

  it('recognizes a denied encryption key', async () => {
    answers = () => refusal(403, 'forbidden', 'Permission denied on Cloud KMS key. Please ensure that ... cloudkms');
    await expect(putFailure()).resolves.toMatchObject({ error: { code: 'kms_denied', retryable: false } });
  });

  const repeated: [string, () => StubAnswer | 'reset' | undefined, DestinationErrorCode][] = [
    ['500', () => refusal(500, 'backendError'), 'unavailable'],
    ['502 with a page', () => ({ status: 502, body: '<html>Bad gateway' }), 'unavailable'],
    ['503 with no body', () => ({ status: 503 }), 'unavailable'],
    ['429', () => refusal(429, 'rateLimitExceeded'), 'throttled'],
    ['403 rateLimitExceeded', () => refusal(403, 'rateLimitExceeded'), 'throttled'],
    ['408', () => ({ status: 408, body: 'Request timeout' }), 'timeout'],
    ['a reset', () => 'reset', 'connection_lost'],
  ];
  it.each(repeated)('repeats the request after %s', async (_, answer, expected) => {
    answers = answer;
    const { error, begun } = await putFailure();
    expect(error).toMatchObject({ code: expected, retryable: true });
    expect(begun).toBe(3);
  });

  it('repeats a request that is not answered in time', async () => {
    answers = () => undefined;
    const { error, begun } = await putFailure({ requestTimeoutMs: 100 });
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
    expect(begun).toBe(3);
  });

  it('reports an upload whose session the store has forgotten', async () => {
    answers = ({ method }) => (method === 'POST' ? session() : { status: 404, body: 'Not Found' });
    await expect(putFailure()).resolves.toMatchObject({ error: { code: 'upload_lost', retryable: true } });
  });

  it('maps a checksum that the store refuses', async () => {
    const wrong = refusal(400, 'invalid', 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "b".');
    answers = ({ method }) => (method === 'POST' ? session() : wrong);
    await expect(putFailure()).resolves.toMatchObject({ error: { code: 'checksum_mismatch', retryable: true } });
  });

  it.each([
    ['size', { size: '7', crc32c: 'kPWZ4w==', generation: '42' }],
    ['CRC32C', { size: '1', crc32c: 'AAAAAA==', generation: '42' }],
  ])('removes the very object whose %s is not what was sent', async (_, stored) => {
    answers = ({ method }) => {
      if (method === 'POST') return session();
      return method === 'PUT' ? { status: 200, body: JSON.stringify(stored) } : { status: 204 };
    };
    const { error, requests } = await putFailure();
    expect(error).toMatchObject({ code: 'checksum_mismatch', retryable: true });
    expect(requests.some(({ method, url }) => method === 'DELETE' && url.endsWith('ifGenerationMatch=42'))).toBe(true);
  });

  it('sends an export only to the server that was configured, wherever the session is said to be', async () => {
    answers = ({ method }) =>
      method === 'POST'
        ? { status: 200, headers: { location: 'http://169.254.169.254/upload?upload_id=1' } }
        : { status: 403 };
    const { requests } = await putFailure();
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toContain('PUT /upload?upload_id=1');
    answers = () => ({ status: 200, headers: { location: 'http://169.254.169.254/' } });
    await expect(putFailure()).resolves.toMatchObject({ error: { code: 'connection_lost' } });
  });

  it('reads undefined only for an absent object', async () => {
    const reader = await openGcsReader(options(), deps);
    answers = () => ({ status: 404, body: 'No such object: didomi-cmp-bucket/x' });
    await expect(reader.read('x', idle)).resolves.toBeUndefined();
    answers = () => refusal(404, 'notFound', 'The specified bucket does not exist.');
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'bucket_not_found' });
    answers = () => refusal(403, 'forbidden');
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'access_denied' });
    answers = () => ({ status: 500 });
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'unavailable' });
    await reader.close();
  });

  it('rejects in the middle of an object that ends early', async () => {
    const reader = await openGcsReader(options());
    answers = () => ({ status: 200, headers: { 'content-length': '100', connection: 'close' }, body: 'only this' });
    const readAll = async () => {
      for await (const chunk of (await reader.read('x', idle)) ?? []) void chunk;
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'connection_lost', retryable: true });
    await reader.close();
  });

  it('lists page by page', async () => {
    answers = ({ url }) => ({
      status: 200,
      body: JSON.stringify(
        url.includes('pageToken=next')
          ? { items: [{ name: 'b', size: '2' }] }
          : { items: [{ name: 'a', size: '1' }], nextPageToken: 'next' },
      ),
    });
    const reader = await openGcsReader(options());
    const found: unknown[] = [];
    for await (const entry of reader.list('', idle)) found.push(entry);
    expect(found).toEqual([
      { key: 'a', bytes: 1 },
      { key: 'b', bytes: 2 },
    ]);
    await reader.close();
  });

  it('sends no token to another server than Google, and never shows the key', async () => {
    answers = () => refusal(403, 'forbidden');
    const { error, requests } = await putFailure();
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET.slice(40, 80));
  });

  it('refuses options that cannot work', async () => {
    await expect(openGcsDestination({ ...options(), bucket: '..', chunkSizeBytes: 5 })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('bucket must be the name of a Cloud Storage bucket'),
    });
    const { endpoint: _, ...google } = options();
    await expect(openGcsDestination({ ...google, credentials: 'anonymous-local' })).rejects.toMatchObject({
      code: 'invalid_configuration',
    });
  });
});

describe('mapSignInError', () => {
  const context = {
    operation: 'sign_in',
    bucket: 'didomi-cmp-bucket',
    principal: account,
    endpoint: 'https://storage.googleapis.com',
  } as const;
  const answered = (status: number, error: string, error_description: string) =>
    Object.assign(new Error(error), {
      response: { status, data: { error, error_description } },
      config: { headers: { authorization: 'Bearer canary' }, data: 'assertion=canary' },
    });

  it.each<[string, unknown, DestinationErrorCode]>([
    ['a deleted account', answered(400, 'invalid_grant', 'Invalid grant: account not found'), 'credentials_invalid'],
    ['a deleted key', answered(400, 'invalid_grant', 'Invalid JWT Signature.'), 'credentials_invalid'],
    ['a disabled account', answered(401, 'unauthorized_client', 'Client is unauthorized'), 'credentials_invalid'],
    [
      'a wrong clock',
      answered(400, 'invalid_grant', 'Invalid JWT: Token must be a short-lived token and in a reasonable timeframe.'),
      'clock_skew',
    ],
    ['an outage', answered(503, 'unavailable', 'try again'), 'unavailable'],
    ['no network', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), 'connection_lost'],
  ])('maps %s', (_, error, expected) => {
    const mapped = mapSignInError(error, context);
    expect(mapped.code).toBe(expected);
    expect(inspect(mapped, { depth: 20, showHidden: true })).not.toContain('canary');
  });
});
