import { DestinationError, withinTime } from '@delivery/destinations/driver';
import { mapS3Error } from './s3-errors';
import { principalOf, type S3DestinationOptions, type S3RoleCredentials } from './s3-options';

/** One request for a session. */
const ASSUME_ROLE_MS = 20_000;

interface SessionCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}

/** What an assumed role's session may do at most: this export's objects and nothing else of the customer's account. */
export function sessionPolicy(options: { bucket: string; prefix: string; roleArn: string; region: string }): string {
  const partition = options.roleArn.split(':')[1] ?? 'aws';
  const bucket = `arn:${partition}:s3:::${options.bucket}`;
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          's3:PutObject',
          's3:GetObject',
          's3:DeleteObject',
          's3:AbortMultipartUpload',
          's3:ListMultipartUploadParts',
        ],
        Resource: `${bucket}/${options.prefix}*`,
      },
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], Resource: bucket },
      {
        // Without it a bucket with a key of its own refuses every part; the key's own policy still decides.
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': `s3.${options.region}.${suffix}` } },
      },
    ],
  });
}

/**
 * Assumes a customer's role with the organization's external id. The S3 client asks again shortly before a session
 * ends (roles assumed by roles last an hour at most), so uploads may take longer than a session.
 */
export function roleProvider(
  options: S3DestinationOptions,
  role: S3RoleCredentials,
): { provide: () => Promise<SessionCredentials>; close: () => void } {
  let close = (): void => undefined;
  const connect = async () => {
    const { STSClient, AssumeRoleCommand } = await import('@aws-sdk/client-sts');
    const client = new STSClient({
      region: options.region,
      ...(options.stsEndpoint === undefined ? {} : { endpoint: options.stsEndpoint }),
      maxAttempts: 1,
      requestHandler: { connectionTimeout: 10_000, requestTimeout: ASSUME_ROLE_MS, throwOnRequestTimeout: true },
    });
    close = () => client.destroy();
    return { client, AssumeRoleCommand };
  };
  const context = {
    operation: 'AssumeRole',
    bucket: options.bucket,
    region: options.region,
    principal: principalOf(role),
    endpoint: options.stsEndpoint ?? 'AWS STS',
  } as const;
  let connected: ReturnType<typeof connect> | undefined;

  const provide = async (): Promise<SessionCredentials> => {
    try {
      const { client, AssumeRoleCommand } = await (connected ??= connect());
      const command = new AssumeRoleCommand({
        RoleArn: role.roleArn,
        RoleSessionName: 'consent-delivery',
        ExternalId: role.externalId,
        DurationSeconds: 3600,
        Policy: sessionPolicy({ ...options, prefix: options.prefix ?? '', roleArn: role.roleArn }),
      });
      const { Credentials } = await withinTime(ASSUME_ROLE_MS, (abortSignal) => client.send(command, { abortSignal }));
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
      if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
        throw new DestinationError('role_not_assumable', `AWS gave no credentials for ${context.principal}.`);
      }
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        expiration: Expiration,
      };
    } catch (error) {
      throw mapS3Error(error, context);
    }
  };
  return { provide, close: () => close() };
}
