import type { BucketLocationConstraint } from '@aws-sdk/client-s3';
import { DestinationError, failureOf } from '@delivery/destinations/driver';
import type { AwsCalls } from './aws-calls';
import { partitionOf, tlsOnlyPolicy } from './policies';
import { httpStatusOf } from './provisioner-errors';
import type { S3ProvisionerOptions } from './provisioner-options';

interface BucketContext {
  calls: AwsCalls;
  options: S3ProvisionerOptions;
  bucketName: string;
  signal: AbortSignal;
}

/** @returns whether this call made it, rather than found it in the platform's own account */
export async function ensureBucketExists(context: BucketContext): Promise<boolean> {
  if (await isOurs(context)) return false;
  const { calls, options, bucketName, signal } = context;
  const { CreateBucketCommand, BucketAlreadyOwnedByYou } = calls.s3Sdk;
  // The SDK lists the regions it knew when it was made; new ones must work as well.
  const LocationConstraint = options.region as BucketLocationConstraint;
  const command = new CreateBucketCommand({
    Bucket: bucketName,
    ObjectOwnership: 'BucketOwnerEnforced',
    // The first region of AWS must not be named.
    ...(options.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint } }),
  });
  return calls.s3({ action: 's3:CreateBucket', bucketName, signal }, async (s3, http) => {
    try {
      await s3.send(command, http);
      return true;
    } catch (error) {
      // The answer to an earlier try was lost, or the bucket appeared since it was looked for.
      if (error instanceof BucketAlreadyOwnedByYou) return true;
      throw error;
    }
  });
}

async function isOurs({ calls, bucketName, signal }: BucketContext): Promise<boolean> {
  const command = new calls.s3Sdk.HeadBucketCommand({ Bucket: bucketName, ExpectedBucketOwner: calls.accountId });
  return calls.s3({ action: 's3:ListBucket', bucketName, signal }, async (s3, http) => {
    try {
      await s3.send(command, http);
      return true;
    } catch (error) {
      const status = httpStatusOf(error);
      if (status === 404) return false;
      if (status !== 403) throw error;
      const message = `Bucket "${bucketName}" is not of the platform's AWS account, or its identity may not s3:ListBucket. Allocate another name, or allow it.`;
      throw new DestinationError('name_taken', message, { cause: error });
    }
  });
}

/**
 * Sets everything that makes the bucket safe to keep customers' data in; each setting replaces what was there.
 *
 * @returns warnings
 */
export async function configureBucket(context: BucketContext): Promise<string[]> {
  const { calls, bucketName, signal } = context;
  const sdk = calls.s3Sdk;
  const bucket = { Bucket: bucketName, ExpectedBucketOwner: calls.accountId };
  const call = (action: string) => ({ action, bucketName, signal });

  const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
  const noPublic = new sdk.PutPublicAccessBlockCommand({ ...bucket, PublicAccessBlockConfiguration: block });
  await calls.s3(call('s3:PutBucketPublicAccessBlock'), (s3, http) => s3.send(noPublic, http));

  const ownership = { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' as const }] };
  const noAcls = new sdk.PutBucketOwnershipControlsCommand({ ...bucket, OwnershipControls: ownership });
  await calls.s3(call('s3:PutBucketOwnershipControls'), (s3, http) => s3.send(noAcls, http));

  const rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } }];
  const encryption = new sdk.PutBucketEncryptionCommand({
    ...bucket,
    ServerSideEncryptionConfiguration: { Rules: rules },
  });
  await calls.s3(call('s3:PutEncryptionConfiguration'), (s3, http) => s3.send(encryption, http));

  const warnings = await demandTls(context);
  await expireObjects(context);
  return [...warnings, ...(await letRequesterPay(context))];
}

async function demandTls({ calls, options, bucketName, signal }: BucketContext): Promise<string[]> {
  // The policy would shut out the platform itself.
  if (options.endpoint?.startsWith('http:')) {
    return [`The S3 server at ${options.endpoint} is reached without TLS, so the bucket does not demand it.`];
  }
  const policy = new calls.s3Sdk.PutBucketPolicyCommand({
    Bucket: bucketName,
    ExpectedBucketOwner: calls.accountId,
    Policy: tlsOnlyPolicy(partitionOf(options.region), bucketName),
  });
  await calls.s3({ action: 's3:PutBucketPolicy', bucketName, signal }, (s3, http) => s3.send(policy, http));
  return [];
}

async function expireObjects({ calls, options, bucketName, signal }: BucketContext): Promise<void> {
  const everything = { Prefix: '' };
  const lifecycle = new calls.s3Sdk.PutBucketLifecycleConfigurationCommand({
    Bucket: bucketName,
    ExpectedBucketOwner: calls.accountId,
    LifecycleConfiguration: {
      Rules: [
        {
          ID: 'expire-exports',
          Status: 'Enabled',
          Filter: everything,
          Expiration: { Days: options.retentionDays ?? 7 },
        },
        {
          // What no sweep could find, because its id was lost on the way.
          ID: 'abort-unfinished-uploads',
          Status: 'Enabled',
          Filter: everything,
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        },
      ],
    },
  });
  const call = { action: 's3:PutLifecycleConfiguration', bucketName, signal };
  await calls.s3(call, (s3, http) => s3.send(lifecycle, http));
}

async function letRequesterPay({ calls, options, bucketName, signal }: BucketContext): Promise<string[]> {
  const command = new calls.s3Sdk.PutBucketRequestPaymentCommand({
    Bucket: bucketName,
    ExpectedBucketOwner: calls.accountId,
    RequestPaymentConfiguration: { Payer: 'Requester' },
  });
  return calls.s3({ action: 's3:PutBucketRequestPayment', bucketName, signal }, async (s3, http) => {
    try {
      await s3.send(command, http);
      return [];
    } catch (error) {
      // How a local server without this feature answers; AWS has the feature, so there it stays a failure.
      const missing = options.endpoint !== undefined && failureOf(error).name === 'IllegalLocationConstraintException';
      if (!missing) throw error;
      return [`The S3 server at ${options.endpoint} does not support requester pays: the bucket's owner pays.`];
    }
  });
}

export async function deleteBucket({ calls, bucketName, signal }: BucketContext): Promise<void> {
  const command = new calls.s3Sdk.DeleteBucketCommand({ Bucket: bucketName, ExpectedBucketOwner: calls.accountId });
  await calls.s3({ action: 's3:DeleteBucket', bucketName, signal }, (s3, http) => s3.send(command, http));
}
