import { type Compression, type Dataset, DATASETS } from '@delivery/exports/domain';
import { INTEGRATION_TYPE_IDS } from '@delivery/integrations/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { IfGiven } from './if-given';
import { createFaults } from './integration-rules';

const ORGANIZATION_ID = {
  description: 'The organization it belongs to. May be given in the query string instead (never two different ones).',
  example: 'acme',
};

/** A Google project id; legacy ones carry a domain in front. */
const PROJECT_ID = /^([a-z0-9.-]{1,100}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
/** Google's rule for bucket names; a leading dot, slashes and the like could leave the bucket in a URL. */
const BUCKET_NAME = /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/;
const MAX_JSON_KEY_LENGTH = 16_384;

/** The fields of all types; which of them a type needs is checked by {@link createFaults}. */
export class AuthenticationRequest {
  @ApiPropertyOptional({
    description:
      'S3: your AWS account id. 12 digits; 10 or 11 are padded with zeros on the left, which a warning tells.',
    example: '111122223333',
  })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  account_id?: string;

  @ApiPropertyOptional({ description: 'GCS: the project of the bucket.', example: 'acme-cmp' })
  @IfGiven()
  @Matches(PROJECT_ID, { message: 'project_id must be the id of a Google Cloud project, like acme-cmp' })
  project_id?: string;

  @ApiPropertyOptional({
    description: 'GCS: the JSON key of a service account, as a string. Kept encrypted, never returned.',
    writeOnly: true,
    example: '{"type":"service_account","project_id":"acme-cmp","private_key":"...","client_email":"..."}',
  })
  @IfGiven()
  @IsString()
  @MaxLength(MAX_JSON_KEY_LENGTH)
  json_key?: string;
}

const FREQUENCY = {
  type: 'integer',
  description: 'Days between two deliveries: 1.',
  example: 1,
  minimum: 1,
  maximum: 1,
} as const;
const DATASET_NAMES = Object.keys(DATASETS);
const DATA = {
  description:
    'What is delivered. Batch exports: `users` (a line per user with his events; also when left out) or `events` (a line ' +
    'per event); for both, create two integrations. Analytics exports: `cmp_hourly_metrics`, also when left out.',
  example: ['users'],
  isArray: true,
  enum: DATASET_NAMES,
};
const ONE_DATASET = { message: 'data must name one: create an integration for each' };
const COMPRESSION = {
  description: 'Of the files: `gzip` (.json.gz) or `zstd` (.json.zst), which is faster and smaller.',
  enum: ['gzip', 'zstd'],
  example: 'gzip',
};
const GCS_BUCKET = { description: 'GCS: your bucket. S3: leave out, it is made for you.', example: 'acme-cmp-bucket' };

export class CreatePropertiesRequest {
  @ApiProperty(FREQUENCY)
  @IsInt()
  @Min(1)
  @Max(1, { message: 'frequency must be 1: exports are delivered daily' })
  frequency: number;

  @ApiPropertyOptional(DATA)
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1, ONE_DATASET)
  @IsIn(DATASET_NAMES, { each: true })
  data?: [Dataset];

  @ApiPropertyOptional({ ...COMPRESSION, default: 'gzip' })
  @IfGiven()
  @IsIn(COMPRESSION.enum)
  compression?: Compression;

  @ApiPropertyOptional(GCS_BUCKET)
  @IfGiven()
  @Matches(BUCKET_NAME, {
    message: 'bucket_name must be the name of a bucket: 3 to 222 lower-case letters, digits, "-", "_" and "."',
  })
  bucket_name?: string;
}

export class UpdatePropertiesRequest {
  @ApiPropertyOptional(FREQUENCY)
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(1, { message: 'frequency must be 1: exports are delivered daily' })
  frequency?: number;

  @ApiPropertyOptional({ ...DATA, description: 'Cannot be changed: may be repeated as it is.' })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1, ONE_DATASET)
  @IsIn(DATASET_NAMES, { each: true })
  data?: [Dataset];

  @ApiPropertyOptional({ ...COMPRESSION, description: 'Of the files of runs that are planned from now on.' })
  @IfGiven()
  @IsIn(COMPRESSION.enum)
  compression?: Compression;

  @ApiPropertyOptional(GCS_BUCKET)
  @IfGiven()
  @Matches(BUCKET_NAME, {
    message: 'bucket_name must be the name of a bucket: 3 to 222 lower-case letters, digits, "-", "_" and "."',
  })
  bucket_name?: string;
}

const MAPPINGS = { description: 'Exports have none: [].', example: [], isArray: true, type: Object };

/** `POST /v1/marketplace/integrations` (contracts.md §1.3). */
export class CreateIntegrationRequest {
  /** Asked when a request is validated, so that all its faults are told at once. */
  static readonly faultsBetween = createFaults;

  @ApiPropertyOptional(ORGANIZATION_ID)
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiProperty({ description: 'Kind of destination.', enum: INTEGRATION_TYPE_IDS, example: 'batch-exports-s3' })
  @IsString()
  @MaxLength(64)
  type_id: string;

  @ApiProperty({ type: AuthenticationRequest })
  @IsObject()
  @ValidateNested()
  @Type(() => AuthenticationRequest)
  authentication: AuthenticationRequest;

  @ApiProperty({ type: CreatePropertiesRequest })
  @IsObject()
  @ValidateNested()
  @Type(() => CreatePropertiesRequest)
  properties: CreatePropertiesRequest;

  @ApiPropertyOptional(MAPPINGS)
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(0, { message: 'mappings must be empty: exports have none' })
  mappings?: unknown[];
}

/** `PATCH /v1/marketplace/integrations/{id}`: what is left out stays as it is. */
export class UpdateIntegrationRequest {
  @ApiPropertyOptional(ORGANIZATION_ID)
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiPropertyOptional({
    description: 'false: no due times. The first run after enabling it again covers the pause.',
    example: false,
  })
  @IfGiven()
  @IsBoolean()
  enabled?: boolean;

  @ApiPropertyOptional({ type: AuthenticationRequest })
  @IfGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => AuthenticationRequest)
  authentication?: AuthenticationRequest;

  @ApiPropertyOptional({ type: UpdatePropertiesRequest })
  @IfGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => UpdatePropertiesRequest)
  properties?: UpdatePropertiesRequest;

  @ApiPropertyOptional(MAPPINGS)
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(0, { message: 'mappings must be empty: exports have none' })
  mappings?: unknown[];
}
