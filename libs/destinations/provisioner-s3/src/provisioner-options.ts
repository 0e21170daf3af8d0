import { IsBoolean, IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import { checkOptions, Secret } from '@delivery/destinations/driver';

const SERVER = /^https?:\/\/[^/?#@]+\/?$/;

/** A key pair for local servers; on AWS the process's own identity is used. */
export class ProvisionerKeys {
  @IsString()
  @Length(3, 128)
  accessKeyId!: string;

  @Secret()
  @IsString()
  @Length(3, 256)
  secretAccessKey!: string;
}

/** Where the platform keeps its customers' buckets. */
export class S3ProvisionerOptions {
  @Matches(/^[a-z]{2}[a-z0-9-]{1,30}$/, { message: 'region must be the name of an AWS region' })
  region!: string;

  /** The beginning of every bucket's name; `consent-exports` if not given. */
  @IsOptional()
  @Matches(/^(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?!.*--)[a-z0-9-]{1,28}[a-z0-9]$/, {
    message: 'bucketPrefix must be 3 to 30 lower-case letters, digits and single hyphens',
  })
  bucketPrefix?: string;

  /** The platform's own account; asked of STS if not given. */
  @IsOptional()
  @Matches(/^\d{12}$/, { message: 'accountId must be the 12 digits of an AWS account' })
  accountId?: string;

  /** Objects are removed after so many days (contracts.md §1.4: 7). */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(3650)
  retentionDays?: number;

  @IsOptional()
  keys?: ProvisionerKeys;

  /** Other servers than AWS, for local stacks. */
  @IsOptional()
  @Matches(SERVER, { message: 'endpoint must be the URL of a server' })
  endpoint?: string;

  @IsOptional()
  @Matches(SERVER, { message: 'iamEndpoint must be the URL of a server' })
  iamEndpoint?: string;

  @IsOptional()
  @Matches(SERVER, { message: 'stsEndpoint must be the URL of a server' })
  stsEndpoint?: string;

  @IsOptional()
  @IsBoolean()
  forcePathStyle?: boolean;
}

/** @throws DestinationError `invalid_configuration`, naming every fault and no value */
export function checkProvisionerOptions(given: S3ProvisionerOptions): S3ProvisionerOptions {
  const options = checkOptions(S3ProvisionerOptions, given, 'The provisioner of S3 buckets');
  if (options.keys !== undefined) checkOptions(ProvisionerKeys, options.keys, 'The keys of the provisioner');
  return options;
}
