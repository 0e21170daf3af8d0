import { inspect } from 'node:util';
import type { DestinationErrorCode } from '@delivery/destinations/driver';
import { startStubServer, type StubAnswer, type StubRequest, type StubServer } from '@delivery/destinations/testing';
import { openS3Destination } from './open-s3-destination';
import { openS3Reader } from './open-s3-reader';
import type { S3Credentials, S3DestinationOptions } from './s3-options';

const SECRET = 'canary-secret-access-key';
const idle = new AbortController().signal;
const body = { contentType: 'text/plain', signal: idle };

function s3Error(status: number, code: string, message = 'said the store'): StubAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>1</RequestId></Error>`,
  };
}

describe('S3 errors', () => {
  let stub: StubServer;
  let answers: (request: StubRequest) => StubAnswer | 'reset' | undefined = () => ({ status: 200 });
  beforeAll(async () => {
    stub = await startStubServer((request) => answers(request));
  });
  afterAll(async () => stub.close());

  const keys: S3Credentials = { kind: 'keys', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET };
  const options = (more: Partial<S3DestinationOptions> = {}): S3DestinationOptions => ({
    bucket: 'acme-exports',
    region: 'eu-west-3',
    endpoint: stub.endpoint,
    forcePathStyle: true,
    credentials: keys,
    requestTimeoutMs: 2000,
    ...more,
  });
  const open = (more: Partial<S3DestinationOptions> = {}) =>
    openS3Destination(options(more), { policy: { tries: 3, baseMs: 1, capMs: 1 } });

  const putFailure = async (more: Partial<S3DestinationOptions> = {}) => {
    const driver = await open(more);
    const before = stub.requests.length;
    const error: unknown = await driver.putObject('data/x', Buffer.from('x'), body).then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    await driver.close();
    return { error, sent: stub.requests.length - before };
  };

  const once: [number, string, DestinationErrorCode, RegExp][] = [
    [403, 'AccessDenied', 'access_denied', /"acme-exports" denied s3:PutObject to the owner of access key AKIAEXAMPLE/],
    [403, 'AllAccessDisabled', 'access_denied', /denied s3:PutObject/],
    [404, 'NoSuchBucket', 'bucket_not_found', /^Bucket "acme-exports" does not exist\. Create it/],
    [403, 'InvalidAccessKeyId', 'credentials_invalid', /access key AKIAEXAMPLE \(InvalidAccessKeyId\)/],
    [403, 'SignatureDoesNotMatch', 'credentials_invalid', /Give the destination a valid, enabled key/],
    [400, 'ExpiredToken', 'credentials_invalid', /ExpiredToken/],
    [400, 'InvalidToken', 'credentials_invalid', /InvalidToken/],
    [403, 'RequestTimeTooSkewed', 'clock_skew', /Set the host's clock/],
    [400, 'KMS.DisabledException', 'kms_denied', /encryption key of bucket "acme-exports"/],
    [400, 'KMS.NotFoundException', 'kms_denied', /Enable the key/],
    [301, 'PermanentRedirect', 'invalid_configuration', /region "eu-west-3".*Correct the region/],
    [400, 'AuthorizationHeaderMalformed', 'invalid_configuration', /Correct the region/],
    [400, 'EntityTooLarge', 'object_too_large', /EntityTooLarge/],
    [400, 'KeyTooLongError', 'invalid_key', /KeyTooLongError/],
    [403, 'AccountProblem', 'quota_exceeded', /AccountProblem/],
    [400, 'SomethingNew', 'rejected', /SomethingNew: said the store/],
  ];
  it.each(once)('maps %i %s to %s and does not repeat the request', async (status, code, expected, sentence) => {
    answers = () => s3Error(status, code);
    const { error, sent } = await putFailure();
    expect(error).toMatchObject({ code: expected, retryable: false, message: expect.stringMatching(sentence) });
    expect(sent).toBe(1);
  });

  it('recognizes a denied encryption key in the text of AccessDenied', async () => {
    const text = 'User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:GenerateDataKey on resource';
    answers = () => s3Error(403, 'AccessDenied', text);
    const { error } = await putFailure();
    expect(error).toMatchObject({ code: 'kms_denied', retryable: false });
  });

  const repeated: [string, () => StubAnswer | 'reset' | undefined, DestinationErrorCode][] = [
    ['500 InternalError', () => s3Error(500, 'InternalError'), 'unavailable'],
    ['500 with no body', () => ({ status: 500 }), 'unavailable'],
    ['502 with a page', () => ({ status: 502, body: '<html>Bad gateway' }), 'unavailable'],
    ['503 SlowDown', () => s3Error(503, 'SlowDown'), 'throttled'],
    ['503 ServiceUnavailable', () => s3Error(503, 'ServiceUnavailable'), 'unavailable'],
    ['429', () => ({ status: 429 }), 'throttled'],
    ['400 RequestTimeout', () => s3Error(400, 'RequestTimeout'), 'timeout'],
    ['400 BadDigest', () => s3Error(400, 'BadDigest'), 'checksum_mismatch'],
    ['400 IncompleteBody', () => s3Error(400, 'IncompleteBody'), 'connection_lost'],
    ['a reset', () => 'reset', 'connection_lost'],
  ];
  it.each(repeated)('repeats the request after %s', async (_, answer, expected) => {
    answers = answer;
    const { error, sent } = await putFailure();
    expect(error).toMatchObject({ code: expected, retryable: true });
    expect(sent).toBe(3);
  });

  it('repeats a request that is not answered in time', async () => {
    answers = () => undefined;
    const { error, sent } = await putFailure({ requestTimeoutMs: 100 });
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
    expect(sent).toBe(3);
  });

  it('repeats when nobody listens', async () => {
    const { error } = await putFailure({ endpoint: 'http://127.0.0.1:1' });
    expect(error).toMatchObject({ code: 'connection_lost', message: expect.stringContaining('http://127.0.0.1:1') });
  });

  it.each([
    ['another ETag', { ETag: '"00000000000000000000000000000000"' }],
    ['another CRC32', { ETag: '"1"', 'x-amz-checksum-crc32': 'AAAAAA==' }],
  ])('does not believe an answer with %s', async (_, headers) => {
    answers = () => ({ status: 200, headers });
    const { error, sent } = await putFailure();
    expect(error).toMatchObject({ code: 'checksum_mismatch', retryable: true });
    expect(sent).toBe(3);
  });

  it('accepts the ETag of a store that encrypts with its own keys', async () => {
    const headers = { ETag: '"00000000000000000000000000000000"', 'x-amz-server-side-encryption': 'aws:kms' };
    answers = () => ({ status: 200, headers });
    await expect(putFailure()).resolves.toMatchObject({ error: { message: 'it succeeded' } });
  });

  it('sends a CRC32 and, where asked to, accepts the costs and pins the owner', async () => {
    answers = () => ({ status: 200 });
    await putFailure({ requesterPays: true, expectedBucketOwner: '111122223333' });
    expect(stub.requests.at(-1)?.headers).toMatchObject({
      'x-amz-checksum-crc32': 'jNwWgw==',
      'x-amz-request-payer': 'requester',
      'x-amz-expected-bucket-owner': '111122223333',
    });
  });

  it('reads an error in the body of an answer with status 200', async () => {
    answers = ({ method, url }) => {
      if (method === 'POST' && url.includes('uploads')) return { status: 200, body: initiated };
      if (method === 'POST') return { ...s3Error(200, 'InternalError'), status: 200 };
      return { status: 200, headers: { ETag: '"x"' } };
    };
    const { writer, driver } = await twoParts();
    await expect(writer.finish()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await writer.abort();
    expect(stub.requests.at(-1)).toMatchObject({ method: 'DELETE', url: expect.stringContaining('uploadId=up-1') });
    await driver.close();
  });

  it('says that an upload is gone when the store has forgotten it', async () => {
    answers = ({ method, url }) => {
      if (url.includes('uploads')) return { status: 200, body: initiated };
      return method === 'PUT' ? { status: 200, headers: { ETag: '"x"' } } : s3Error(404, 'NoSuchUpload');
    };
    const { writer, driver } = await twoParts();
    await expect(writer.finish()).rejects.toMatchObject({ code: 'upload_lost', retryable: true });
    await writer.abort();
    await driver.close();
  });

  const initiated =
    '<InitiateMultipartUploadResult><Bucket>acme-exports</Bucket><Key>k</Key><UploadId>up-1</UploadId></InitiateMultipartUploadResult>';
  const twoParts = async () => {
    const driver = await open({ partSizeBytes: 5 * 1024 * 1024 });
    const writer = await driver.createObject('k', body);
    await writer.write(Buffer.alloc(5 * 1024 * 1024 + 1));
    return { driver, writer };
  };

  it('does not mind a denied listing of unfinished uploads', async () => {
    answers = ({ method }) => (method === 'GET' ? s3Error(403, 'AccessDenied') : { status: 204 });
    const driver = await open();
    const uploads = [{ key: 'data/x', uploadId: 'up-1' }];
    await expect(driver.abortUnfinished({ keyPrefix: 'data/', uploads, signal: idle })).resolves.toBe(1);
    await driver.close();
  });

  it('lists unfinished uploads page by page', async () => {
    const page = (key: string, next: string) =>
      `<ListMultipartUploadsResult><IsTruncated>${next !== ''}</IsTruncated><NextKeyMarker>${next}</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>${key}</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>`;
    answers = ({ method, url }) => {
      if (method === 'DELETE') return { status: 204 };
      return { status: 200, body: url.includes('key-marker=data') ? page('data/2', '') : page('data/1', 'data/1') };
    };
    const driver = await open();
    await expect(driver.abortUnfinished({ keyPrefix: 'data/', uploads: [], signal: idle })).resolves.toBe(2);
    await driver.close();
  });

  it('reads undefined only for an absent object', async () => {
    const reader = await openS3Reader(options(), { policy: { tries: 2, baseMs: 1, capMs: 1 } });
    answers = () => s3Error(404, 'NoSuchKey');
    await expect(reader.read('x', idle)).resolves.toBeUndefined();
    answers = () => s3Error(404, 'NoSuchBucket');
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'bucket_not_found' });
    answers = () => s3Error(403, 'AccessDenied');
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'access_denied' });
    answers = () => s3Error(500, 'InternalError');
    await expect(reader.read('x', idle)).rejects.toMatchObject({ code: 'unavailable' });
    await reader.close();
  });

  it('rejects in the middle of an object that ends early', async () => {
    const reader = await openS3Reader(options());
    answers = () => ({ status: 200, headers: { 'content-length': '100', connection: 'close' }, body: 'only this' });
    const readAll = async () => {
      for await (const chunk of (await reader.read('x', idle)) ?? []) void chunk;
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'connection_lost', retryable: true });
    await reader.close();
  });

  it('never shows a secret', async () => {
    answers = () => s3Error(403, 'SignatureDoesNotMatch');
    const { error } = await putFailure();
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/authorization/i);
    await expect(open({ bucket: 'No', region: '' })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message:
        'The S3 destination cannot be used: bucket must be the name of an S3 bucket; region must be the name of an AWS region.',
    });
  });

  describe('with a role', () => {
    const role: S3Credentials = {
      kind: 'role',
      roleArn: 'arn:aws:iam::111122223333:role/consent-exports',
      externalId: 'org-7f3a',
    };
    const platform = { AWS_ACCESS_KEY_ID: 'AKIAPLATFORM', AWS_SECRET_ACCESS_KEY: SECRET };
    const before = { ...process.env };
    beforeAll(() => Object.assign(process.env, platform));
    afterAll(() => {
      process.env = before;
    });

    it('assumes it with the external id and a session narrowed to bucket and prefix', async () => {
      const expiry = new Date(Date.now() + 3_600_000).toISOString();
      answers = ({ url }) =>
        url === '/'
          ? {
              status: 200,
              body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiry}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
            }
          : { status: 200, headers: { ETag: '"1"' } };
      const before = stub.requests.length;
      const driver = await open({ credentials: role, stsEndpoint: stub.endpoint, prefix: 'data/' });
      await driver.putObject('data/x', Buffer.from('x'), body);
      await driver.putObject('data/y', Buffer.from('y'), body);
      await driver.close();

      const [assume, ...puts] = stub.requests.slice(before);
      const form = new URLSearchParams(assume?.body.toString());
      expect(form.get('Action')).toBe('AssumeRole');
      expect(form.get('ExternalId')).toBe('org-7f3a');
      const policy = form.get('Policy') ?? '';
      expect(policy).toContain('"Resource":"arn:aws:s3:::acme-exports/data/*"');
      expect(policy).not.toContain('s3:*');
      // One session serves several requests.
      expect(puts.map(({ headers }) => headers['x-amz-security-token'])).toEqual(['t', 't']);
    });

    it.each<[number, string, DestinationErrorCode]>([
      [403, 'AccessDenied', 'role_not_assumable'],
      [403, 'InvalidClientTokenId', 'credentials_invalid'],
      [403, 'ExpiredToken', 'credentials_invalid'],
      [503, 'ServiceUnavailable', 'unavailable'],
    ])('maps %i %s of AssumeRole to %s', async (status, code, expected) => {
      answers = () => ({
        status,
        body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      });
      const { error } = await putFailure({ credentials: role, stsEndpoint: stub.endpoint });
      expect(error).toMatchObject({ code: expected });
      if (expected === 'role_not_assumable') {
        expect(error).toMatchObject({
          message:
            "The role arn:aws:iam::111122223333:role/consent-exports cannot be assumed. Let its trust policy name the platform's account and this organization's external id.",
        });
      }
    });
  });
});
