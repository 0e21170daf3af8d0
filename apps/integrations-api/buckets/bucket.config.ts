import { Env } from '@delivery/platform/config';
import { IsNotEmpty, IsOptional, Matches, ValidateIf } from 'class-validator';

const SERVER = /^https?:\/\/[^/?#@]+\/?$/;

/** Where the buckets are made that belong to the platform. */
export class PlatformBucketConfig {
  @Env({ name: 'AWS_REGION', description: 'Region of the buckets that the platform makes.', example: 'eu-west-1' })
  @IsNotEmpty()
  region: string;

  @Env({
    name: 'S3_BUCKET_PREFIX',
    description: "Beginning of the names of the platform's buckets: <prefix>-<organization>-<random>.",
    default: 'consent-exports',
    example: 'acme-exports',
  })
  @Matches(/^[a-z0-9](?!.*--)[a-z0-9-]{1,28}[a-z0-9]$/, {
    message: 'must be 3 to 30 lower-case letters, digits and single hyphens',
  })
  bucketPrefix: string;

  @Env({
    name: 'AWS_ACCOUNT_ID',
    description: "The platform's own AWS account, 12 digits; asked of STS when not set.",
    example: '999999999999',
  })
  @IsOptional()
  @Matches(/^\d{12}$/, { message: 'must be 12 digits' })
  accountId?: string;

  @Env({
    name: 'AWS_ACCESS_KEY_ID',
    description: 'Access key for a local S3 server; on AWS leave it out, and the identity of the process is used.',
  })
  @IsOptional()
  @IsNotEmpty()
  accessKeyId?: string;

  @Env({ name: 'AWS_SECRET_ACCESS_KEY', description: 'The secret of AWS_ACCESS_KEY_ID.', secret: true })
  @ValidateIf((config: PlatformBucketConfig) => config.accessKeyId !== undefined)
  @IsNotEmpty()
  secretAccessKey?: string;

  @Env({
    name: 'S3_ENDPOINT',
    description: 'URL of another S3 server than AWS; keys are then addressed by path.',
    example: 'http://127.0.0.1:19000',
  })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  endpoint?: string;

  @Env({ name: 'IAM_ENDPOINT', description: 'URL of another IAM server than AWS.', example: 'http://127.0.0.1:19000' })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  iamEndpoint?: string;

  @Env({ name: 'STS_ENDPOINT', description: 'URL of another STS server than AWS.', example: 'http://127.0.0.1:19000' })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  stsEndpoint?: string;
}

/** How the buckets of customers are reached when an integration is created. */
export class CustomerBucketConfig {
  @Env({
    name: 'GCS_ENDPOINT',
    description: 'URL of another server than Google Cloud Storage; no token is fetched for it. For local stacks.',
    example: 'http://127.0.0.1:14443',
  })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  gcsEndpoint?: string;
}
