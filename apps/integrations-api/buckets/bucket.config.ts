import { GcsEndpoint, S3ServerConfig, ServerUrl } from '@delivery/destinations/config';
import { Env, Section } from '@delivery/platform/config';
import { IsNotEmpty, IsOptional, Matches } from 'class-validator';

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

  @ServerUrl({
    name: 'IAM_ENDPOINT',
    description: 'URL of another IAM server than AWS.',
    example: 'http://127.0.0.1:19000',
  })
  iamEndpoint?: string;

  @ServerUrl({
    name: 'STS_ENDPOINT',
    description: 'URL of another STS server than AWS.',
    example: 'http://127.0.0.1:19000',
  })
  stsEndpoint?: string;

  @Section(S3ServerConfig)
  s3: S3ServerConfig;
}

/** How the buckets of customers are reached when an integration is created. */
export class CustomerBucketConfig {
  @GcsEndpoint()
  gcsEndpoint?: string;
}
