import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetRoleCommand, GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { localS3, startFaultProxy, type FaultProxy, type Rule } from '@delivery/destinations/testing';
import { openS3Provisioner, type S3Provisioner } from './open-s3-provisioner';

const idle = new AbortController().signal;

describe('S3Provisioner', () => {
  let proxy: FaultProxy;
  let s3: S3Client;
  let iam: IAMClient;
  let provisioner: S3Provisioner;
  const leftBehind: string[] = [];
  const allocated: string[] = [];
  const allocate = (): string => {
    const name = provisioner.allocateBucketName('acme');
    allocated.push(name);
    return name;
  };
  beforeAll(async () => {
    const { endpoint, iamEndpoint, accessKeyId, secretAccessKey } = localS3();
    // In its first region, the local server takes the call for requester pays for another that it knows.
    const region = 'eu-west-3';
    const client = { region, credentials: { accessKeyId, secretAccessKey } };
    s3 = new S3Client({ ...client, endpoint, forcePathStyle: true });
    iam = new IAMClient({ region, credentials: { accessKeyId, secretAccessKey }, endpoint: iamEndpoint });
    proxy = await startFaultProxy(endpoint);
    provisioner = await openS3Provisioner(
      {
        region,
        keys: { accessKeyId, secretAccessKey },
        endpoint: proxy.endpoint,
        iamEndpoint: proxy.endpoint,
        stsEndpoint: proxy.endpoint,
        forcePathStyle: true,
      },
      {
        policy: { tries: 3, baseMs: 1, capMs: 2 },
        onLeftBehind: (what, bucketName) => leftBehind.push(`${what} ${bucketName}`),
      },
    );
  });
  afterAll(async () => {
    for (const Bucket of allocated) {
      await provisioner.removeRole(Bucket, idle);
      if (!(await exists(Bucket)).bucket) continue;
      await s3.send(new DeleteObjectCommand({ Bucket, Key: 'data/x' }));
      await s3.send(new DeleteBucketCommand({ Bucket }));
    }
    await provisioner.close();
    await proxy.close();
    s3.destroy();
    iam.destroy();
  });
  afterEach(() => {
    proxy.inject();
    leftBehind.length = 0;
  });

  const request = (bucketName: string, accountIds = ['111122223333']) => ({
    organizationId: 'acme',
    bucketName,
    accountIds,
    signal: idle,
  });
  const exists = async (bucketName: string): Promise<{ bucket: boolean; role: boolean }> => {
    const answered = (answer: Promise<unknown>) =>
      answer.then(
        () => true,
        () => false,
      );
    return {
      bucket: await answered(s3.send(new HeadBucketCommand({ Bucket: bucketName }))),
      role: await answered(iam.send(new GetRoleCommand({ RoleName: `${bucketName}-role` }))),
    };
  };
  const trust = async (bucketName: string): Promise<unknown> => {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: `${bucketName}-role` }));
    return JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''));
  };

  it('makes a bucket that is safe to keep data in and a role that may only read it', async () => {
    const bucketName = allocate();
    const bucket = { Bucket: bucketName };
    const { roleArn, warnings } = await provisioner.ensureBucket(request(bucketName));

    expect(roleArn).toMatch(new RegExp(`^arn:aws:iam::\\d{12}:role/${bucketName}-role$`));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: `${bucketName}-role` }));
    expect(Role?.Arn).toBe(roleArn);
    // What the local server cannot do is said, not swallowed.
    expect(warnings).toEqual([
      expect.stringContaining('is reached without TLS'),
      expect.stringContaining('does not support requester pays'),
    ]);

    const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand(bucket));
    expect(Object.values(PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand(bucket));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand(bucket));
    expect(ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault).toEqual({
      SSEAlgorithm: 'AES256',
    });
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand(bucket));
    expect(Rules).toMatchObject([
      { Status: 'Enabled', Expiration: { Days: 7 } },
      { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    ]);

    expect(await trust(bucketName)).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: ['arn:aws:iam::111122223333:root'] }, Action: 'sts:AssumeRole' },
      ],
    });
    const { PolicyDocument } = await iam.send(
      new GetRolePolicyCommand({ RoleName: `${bucketName}-role`, PolicyName: 'read-exports' }),
    );
    expect(JSON.parse(decodeURIComponent(PolicyDocument ?? '')).Statement).toEqual([
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: `arn:aws:s3:::${bucketName}` },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucketName}/*` },
    ]);
  });

  it('gives the same result when it is repeated, and takes nothing away', async () => {
    const bucketName = allocate();
    const first = await provisioner.ensureBucket(request(bucketName));
    await s3.send(new PutObjectCommand({ Bucket: bucketName, Key: 'data/x', Body: 'x' }));
    await expect(provisioner.ensureBucket(request(bucketName, ['111122223333', '444455556666']))).resolves.toEqual(
      first,
    );
    expect(await trust(bucketName)).toMatchObject({
      Statement: [{ Principal: { AWS: ['arn:aws:iam::111122223333:root', 'arn:aws:iam::444455556666:root'] } }],
    });

    // A later failure removes nothing of what an earlier call has made.
    proxy.inject(failing('PUT', '?lifecycle'));
    await expect(provisioner.ensureBucket(request(bucketName))).rejects.toMatchObject({ retryable: true });
    expect(await exists(bucketName)).toEqual({ bucket: true, role: true });
  });

  const failing = (method: string, part: string): Rule => ({
    fault: { kind: 'answer', status: 500 },
    matches: (request) => request.method === method && request.url.includes(part),
    times: 3,
  });
  it.each([
    ['the first setting', 'PUT', '?publicAccessBlock', 3],
    ['the last setting', 'PUT', '?requestPayment', 3],
    ['the role', 'POST', '/', 3],
  ])(
    'removes what it made when %s fails, and makes all of it when it is called again',
    async (_, method, part, times) => {
      const bucketName = allocate();
      proxy.inject({ ...failing(method, part), times });
      await expect(provisioner.ensureBucket(request(bucketName))).rejects.toMatchObject({ code: 'unavailable' });
      expect(await exists(bucketName)).toEqual({ bucket: false, role: false });
      expect(leftBehind).toEqual([]);
      await provisioner.ensureBucket(request(bucketName));
      expect(await exists(bucketName)).toEqual({ bucket: true, role: true });
    },
  );

  it('removes the role as well when its policy cannot be set', async () => {
    const bucketName = allocate();
    let calls = 0;
    const afterCreateRole = ({ method }: { method: string }) => method === 'POST' && (calls += 1) > 1 && calls < 5;
    proxy.inject({ fault: { kind: 'answer', status: 500 }, matches: afterCreateRole, times: 3 });
    await expect(provisioner.ensureBucket(request(bucketName))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await exists(bucketName)).toEqual({ bucket: false, role: false });
  });

  it('says what it had to leave behind, and finds it the next time', async () => {
    const bucketName = allocate();
    proxy.inject(failing('PUT', '?lifecycle'), failing('DELETE', bucketName));
    await expect(provisioner.ensureBucket(request(bucketName))).rejects.toMatchObject({ code: 'unavailable' });
    expect(leftBehind).toEqual([`bucket ${bucketName}`]);
    proxy.inject();
    await provisioner.ensureBucket(request(bucketName));
    expect(await exists(bucketName)).toEqual({ bucket: true, role: true });
  });

  it('survives a lost answer to each of its requests', async () => {
    const bucketName = allocate();
    const seen = new Set<string>();
    const firstOfEach = ({ method, url }: { method: string; url: string }): boolean => {
      const known = seen.has(method + url);
      seen.add(method + url);
      return !known;
    };
    proxy.inject({ fault: { kind: 'answer_lost' }, matches: firstOfEach, times: Infinity });
    await provisioner.ensureBucket(request(bucketName));
    proxy.inject();
    expect(await exists(bucketName)).toEqual({ bucket: true, role: true });
    expect(seen.size).toBeGreaterThan(6);
  });

  it('replaces the trusted accounts, and makes a role that was removed again', async () => {
    const bucketName = allocate();
    await provisioner.ensureBucket(request(bucketName));
    await provisioner.updateTrust(request(bucketName, ['444455556666']));
    expect(await trust(bucketName)).toMatchObject({
      Statement: [{ Principal: { AWS: ['arn:aws:iam::444455556666:root'] } }],
    });
    await provisioner.removeRole(bucketName, idle);
    await provisioner.removeRole(bucketName, idle);
    expect(await exists(bucketName)).toEqual({ bucket: true, role: false });
    await provisioner.updateTrust(request(bucketName));
    expect(await exists(bucketName)).toEqual({ bucket: true, role: true });
  });

  it.each([
    ['an account id of ten digits', { accountIds: ['0000000000'] }, 'principal_invalid'],
    ['no account', { accountIds: [] }, 'principal_invalid'],
    ['a name of its own', { bucketName: 'A.b' }, 'invalid_configuration'],
    ['an aborted signal', { signal: AbortSignal.abort() }, 'aborted'],
  ])('refuses %s before it asks AWS', async (_, change, code) => {
    const before = proxy.log.length;
    const call = provisioner.ensureBucket({ ...request(provisioner.allocateBucketName('acme')), ...change });
    await expect(call).rejects.toMatchObject({ code });
    expect(proxy.log.length).toBe(before);
  });
});
