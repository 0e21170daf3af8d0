import { Env } from '@delivery/platform/config';
import { IsNotEmpty, IsOptional, ValidateIf } from 'class-validator';
import { ServerUrl } from './server-url';

/** Which S3 server, and who the process is there: read alike by everything that opens a bucket. */
export class S3ServerConfig {
  @Env({
    name: 'AWS_ACCESS_KEY_ID',
    description: 'Access key for a local S3 server; on AWS leave it out, and the identity of the process is used.',
  })
  @IsOptional()
  @IsNotEmpty()
  accessKeyId?: string;

  @Env({ name: 'AWS_SECRET_ACCESS_KEY', description: 'The secret of AWS_ACCESS_KEY_ID.', secret: true })
  @ValidateIf((config: S3ServerConfig) => config.accessKeyId !== undefined)
  @IsNotEmpty()
  secretAccessKey?: string;

  @ServerUrl({
    name: 'S3_ENDPOINT',
    description: 'URL of another S3 server than AWS; keys are then addressed by path.',
    example: 'http://127.0.0.1:19000',
  })
  endpoint?: string;
}

/** A key pair; undefined stands for the identity of the process. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** As the S3 driver takes it. */
export interface S3Server {
  readonly credentials: { readonly kind: 'platform' } | ({ readonly kind: 'keys' } & S3Keys);
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
}

export function s3Keys({ accessKeyId, secretAccessKey }: S3ServerConfig): S3Keys | undefined {
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}

export function s3Server(config: S3ServerConfig): S3Server {
  const keys = s3Keys(config);
  return {
    credentials: keys === undefined ? { kind: 'platform' } : { kind: 'keys', ...keys },
    ...(config.endpoint !== undefined && { endpoint: config.endpoint, forcePathStyle: true }),
  };
}
