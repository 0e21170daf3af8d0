import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import { checkOptions, DestinationError, Secret } from '@delivery/destinations/driver';

const MIB = 1024 * 1024;

/** S3's own limits: docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MIN_PART_BYTES = 5 * MIB;
export const MAX_PARTS = 10_000;
/** The least: three of them are all the memory that a writer holds. */
export const DEFAULT_PART_BYTES = MIN_PART_BYTES;
export const DEFAULT_PARTS_IN_FLIGHT = 2;
export const DEFAULT_REQUEST_TIMEOUT_MS = 120_000;

/** The process's own identity: environment, instance profile, or web identity of a pod. */
export class S3PlatformCredentials {
  @IsIn(['platform'])
  kind!: 'platform';
}

/** A key pair of an IAM user. */
export class S3KeyCredentials {
  @IsIn(['keys'])
  kind!: 'keys';

  @IsString()
  @Length(3, 128)
  accessKeyId!: string;

  @Secret()
  @IsString()
  @Length(3, 256)
  secretAccessKey!: string;
}

/** A role in a customer's account that the platform's own identity assumes. */
export class S3RoleCredentials {
  @IsIn(['role'])
  kind!: 'role';

  @Matches(/^arn:aws(-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/, {
    message: 'roleArn must be the ARN of an IAM role',
  })
  roleArn!: string;

  /** The organization's own, so that no other customer can name this role (the confused deputy). */
  @IsString()
  @Matches(/^[\w+=,.@:/-]{2,1224}$/, { message: 'externalId must be 2 to 1224 characters that IAM accepts' })
  externalId!: string;
}

export type S3Credentials = S3PlatformCredentials | S3KeyCredentials | S3RoleCredentials;

/** One bucket and how to reach it. */
export class S3DestinationOptions {
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: 'bucket must be the name of an S3 bucket' })
  bucket!: string;

  @Matches(/^[a-z]{2}[a-z0-9-]{1,30}$/, { message: 'region must be the name of an AWS region' })
  region!: string;

  credentials!: S3Credentials;

  /** Keys lie below it; empty, or ending with "/". Also what an assumed role's session is narrowed to. */
  @IsOptional()
  @IsString()
  prefix?: string;

  /** Another server than AWS. From the operator's configuration only: a customer's could point into the network. */
  @IsOptional()
  @Matches(/^https?:\/\/[^/?#@]+\/?$/, { message: 'endpoint must be the URL of a server' })
  endpoint?: string;

  /** Another STS than AWS's; only used with `role`. From the operator's configuration only. */
  @IsOptional()
  @Matches(/^https?:\/\/[^/?#@]+\/?$/, { message: 'stsEndpoint must be the URL of a server' })
  stsEndpoint?: string;

  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  @IsOptional()
  @IsBoolean()
  forcePathStyle?: boolean;

  @IsOptional()
  @IsInt()
  @Min(MIN_PART_BYTES)
  @Max(512 * MIB)
  partSizeBytes?: number;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(16)
  partsInFlight?: number;

  /** Sends the header that accepts the costs; only needed in other people's requester-pays buckets. */
  @IsOptional()
  @IsBoolean()
  requesterPays?: boolean;

  /** The bucket's account: a bucket of this name that somebody else has created meanwhile is refused. */
  @IsOptional()
  @Matches(/^\d{12}$/, { message: 'expectedBucketOwner must be an AWS account id' })
  expectedBucketOwner?: string;

  /** One try of one request. At the default part size, the slowest line it tolerates is about 45 kB/s. */
  @IsOptional()
  @IsInt()
  @Min(100)
  requestTimeoutMs?: number;
}

/** @throws DestinationError `invalid_configuration`, naming every fault and no value */
export function checkS3Options(given: S3DestinationOptions): S3DestinationOptions {
  const { credentials, ...rest } = given;
  const options = checkOptions(S3DestinationOptions, rest, 'The S3 destination');
  switch (credentials?.kind) {
    case 'platform':
      return { ...options, credentials: checkOptions(S3PlatformCredentials, credentials, 'The S3 credentials') };
    case 'keys':
      return { ...options, credentials: checkOptions(S3KeyCredentials, credentials, 'The S3 credentials') };
    case 'role':
      return { ...options, credentials: checkOptions(S3RoleCredentials, credentials, 'The S3 role') };
    default:
      throw new DestinationError('invalid_configuration', 'The S3 credentials are none of platform, keys and role.');
  }
}

/** Who the store sees, for sentences: never a secret. */
export function principalOf(credentials: S3Credentials): string {
  switch (credentials.kind) {
    case 'platform':
      return "the platform's own AWS identity";
    case 'keys':
      return `the owner of access key ${credentials.accessKeyId}`;
    case 'role':
      return `the role ${credentials.roleArn}`;
  }
}
