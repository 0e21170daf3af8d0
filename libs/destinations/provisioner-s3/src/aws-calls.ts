import type { IAMClient } from '@aws-sdk/client-iam';
import type { S3Client } from '@aws-sdk/client-s3';
import { withinTime, withRetries, type DriverDeps } from '@delivery/destinations/driver';
import { mapProvisionerError } from './provisioner-errors';
import type { S3ProvisionerOptions } from './provisioner-options';

type S3Sdk = typeof import('@aws-sdk/client-s3');
type IamSdk = typeof import('@aws-sdk/client-iam');

/** One request; all of them are small. */
const REQUEST_MS = 30_000;

interface Http {
  abortSignal: AbortSignal;
}

/** One bucket's calls: what fails is mapped with the bucket's name, and repeated if that helps. */
export interface AwsCall {
  bucketName: string;
  /** The IAM action, such as `s3:CreateBucket`. */
  action: string;
  signal: AbortSignal;
}

/** The S3 and IAM clients of the provisioner; the SDKs are loaded when it is opened. */
export class AwsCalls {
  private constructor(
    readonly s3Sdk: S3Sdk,
    readonly iamSdk: IamSdk,
    private readonly clients: { s3: S3Client; iam: IAMClient },
    /** The platform's own account. */
    readonly accountId: string,
    private readonly deps: DriverDeps,
  ) {}

  static async open(options: S3ProvisionerOptions, deps: DriverDeps): Promise<AwsCalls> {
    const [s3Sdk, iamSdk] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/client-iam')]);
    const s3 = new s3Sdk.S3Client({
      ...clientConfig(options, options.endpoint),
      forcePathStyle: options.forcePathStyle ?? false,
    });
    const iam = new iamSdk.IAMClient(clientConfig(options, options.iamEndpoint));
    try {
      return new AwsCalls(s3Sdk, iamSdk, { s3, iam }, options.accountId ?? (await askAccountId(options, deps)), deps);
    } catch (error) {
      s3.destroy();
      iam.destroy();
      throw error;
    }
  }

  s3<T>(call: AwsCall, send: (client: S3Client, http: Http) => Promise<T>): Promise<T> {
    return repeated(call, this.deps, (http) => send(this.clients.s3, http));
  }

  iam<T>(call: AwsCall, send: (client: IAMClient, http: Http) => Promise<T>): Promise<T> {
    return repeated(call, this.deps, (http) => send(this.clients.iam, http));
  }

  close(): void {
    this.clients.s3.destroy();
    this.clients.iam.destroy();
  }
}

async function askAccountId(options: S3ProvisionerOptions, deps: DriverDeps): Promise<string> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient(clientConfig(options, options.stsEndpoint));
  const call = { bucketName: '', action: 'sts:GetCallerIdentity', signal: new AbortController().signal };
  try {
    const { Account } = await repeated(call, deps, (http) => client.send(new GetCallerIdentityCommand({}), http));
    return Account ?? '';
  } finally {
    client.destroy();
  }
}

async function repeated<T>(call: AwsCall, deps: DriverDeps, send: (http: Http) => Promise<T>): Promise<T> {
  const { action, bucketName, signal } = call;
  const attempt = async (): Promise<T> => {
    try {
      return await withinTime(REQUEST_MS, (limit) => send({ abortSignal: AbortSignal.any([signal, limit]) }));
    } catch (error) {
      throw mapProvisionerError(error, { action, bucketName });
    }
  };
  return withRetries(attempt, { operation: action, signal, ...deps });
}

function clientConfig(options: S3ProvisionerOptions, endpoint: string | undefined) {
  const { region, keys } = options;
  return {
    region,
    // One retry policy for all: ours.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys === undefined
      ? {}
      : { credentials: { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey } }),
  };
}
