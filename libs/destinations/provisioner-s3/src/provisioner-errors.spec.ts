import type { DestinationErrorCode } from '@delivery/destinations/driver';
import { startStubServer, type StubAnswer, type StubRequest, type StubServer } from '@delivery/destinations/testing';
import { openS3Provisioner } from './open-s3-provisioner';
import type { S3ProvisionerOptions } from './provisioner-options';

const bucketName = 'consent-exports-acme-abcdefghij';
const request = {
  organizationId: 'acme',
  bucketName,
  accountIds: ['000000000000'],
  signal: new AbortController().signal,
};

const s3Error = (status: number, code: string): StubAnswer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>said S3</Message></Error>`,
});
const iamError = (status: number, code: string, message: string): StubAnswer => ({
  status,
  body: `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});

describe('provisioner errors', () => {
  let stub: StubServer;
  let answers: (request: StubRequest) => StubAnswer;
  beforeAll(async () => {
    stub = await startStubServer((received) => answers(received));
  });
  afterAll(async () => stub.close());

  const failure = async (more: Partial<S3ProvisionerOptions> = {}) => {
    const provisioner = await openS3Provisioner(
      {
        region: 'eu-west-3',
        accountId: '999999999999',
        keys: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'canary' },
        endpoint: stub.endpoint,
        iamEndpoint: stub.endpoint,
        forcePathStyle: true,
        ...more,
      },
      { policy: { tries: 2, baseMs: 1, capMs: 1 } },
    );
    const outcome = await provisioner.ensureBucket(request).catch((error: unknown) => error);
    await provisioner.close();
    return outcome;
  };

  it("turns IAM's refusal of a principal into a sentence", async () => {
    const refusal = 'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:root"';
    answers = ({ method }) => (method === 'POST' ? iamError(400, 'MalformedPolicyDocument', refusal) : { status: 200 });
    await expect(failure()).resolves.toMatchObject({
      code: 'principal_invalid',
      retryable: false,
      message:
        'AWS knows no account 000000000000, so it cannot be given access. Correct account_id: it is the 12 digits of your AWS account.',
    });
  });

  it.each<[string, StubAnswer, DestinationErrorCode, RegExp]>([
    ['a denied role', iamError(403, 'AccessDenied', 'no'), 'access_denied', /may not iam:CreateRole/],
    ['too many roles', iamError(409, 'LimitExceeded', 'roles: 1000'), 'quota_exceeded', /Raise its quota/],
    ['a policy that IAM cannot read', iamError(400, 'MalformedPolicyDocument', 'syntax'), 'rejected', /syntax/],
    ['an unknown key', iamError(403, 'InvalidClientTokenId', 'no'), 'credentials_invalid', /own credentials/],
    ['throttling', iamError(400, 'Throttling', 'slow down'), 'throttled', /Try again/],
  ])('maps %s', async (_, answer, code, sentence) => {
    answers = ({ method }) => (method === 'POST' ? answer : { status: 200 });
    await expect(failure()).resolves.toMatchObject({ code, message: expect.stringMatching(sentence) });
  });

  it.each<[string, StubAnswer, DestinationErrorCode]>([
    ['BucketAlreadyExists', s3Error(409, 'BucketAlreadyExists'), 'name_taken'],
    ['TooManyBuckets', s3Error(400, 'TooManyBuckets'), 'quota_exceeded'],
    ['AccessDenied', s3Error(403, 'AccessDenied'), 'access_denied'],
    ['IllegalLocationConstraintException', s3Error(400, 'IllegalLocationConstraintException'), 'invalid_configuration'],
  ])('maps %s of the new bucket', async (_, answer, code) => {
    answers = ({ method }) => (method === 'HEAD' ? { status: 404 } : answer);
    await expect(failure()).resolves.toMatchObject({ code, retryable: false });
  });

  it('does not take a bucket of another account for its own', async () => {
    answers = () => ({ status: 403 });
    await expect(failure()).resolves.toMatchObject({ code: 'name_taken' });
    expect(stub.requests.at(-1)?.headers['x-amz-expected-bucket-owner']).toBe('999999999999');
  });

  describe('requester pays', () => {
    const unsupported = s3Error(400, 'IllegalLocationConstraintException');
    const before = { ...process.env };
    afterEach(() => {
      process.env = { ...before };
    });

    it('is only warned of on a server of the operator that has no such feature', async () => {
      answers = ({ url }) => (url.includes('requestPayment') ? unsupported : { status: 200, body: '' });
      const outcome = await failure();
      expect(outcome).toMatchObject({ warnings: [expect.anything(), expect.stringContaining('requester pays')] });
    });

    it('is not optional for any other reason', async () => {
      answers = ({ url }) => (url.includes('requestPayment') ? s3Error(403, 'AccessDenied') : { status: 200 });
      await expect(failure()).resolves.toMatchObject({ code: 'access_denied' });
    });

    it('is not optional on AWS', async () => {
      // The SDK's own variables stand for AWS here: the provisioner is not told of another server.
      Object.assign(process.env, { AWS_ENDPOINT_URL_S3: stub.endpoint, AWS_ENDPOINT_URL_IAM: stub.endpoint });
      answers = ({ url }) => (url.includes('requestPayment') ? unsupported : { status: 200 });
      const provisioner = await openS3Provisioner({
        region: 'eu-west-3',
        accountId: '999999999999',
        keys: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'canary' },
        forcePathStyle: true,
      });
      await expect(provisioner.ensureBucket(request)).rejects.toMatchObject({ code: 'invalid_configuration' });
      // Nor is TLS.
      const policy = stub.requests.find(({ method, url }) => method === 'PUT' && url.includes('?policy'));
      expect(JSON.parse(policy?.body.toString() ?? '').Statement).toEqual([
        {
          Sid: 'TlsOnly',
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Resource: [`arn:aws:s3:::${bucketName}`, `arn:aws:s3:::${bucketName}/*`],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]);
      await provisioner.close();
    });
  });
});
