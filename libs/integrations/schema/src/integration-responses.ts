import { INTEGRATION_TYPE_IDS } from '@delivery/integrations/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { S3_INTEGRATION_EXAMPLE } from './examples';

export class AuthenticationResponse {
  @ApiPropertyOptional({ description: 'S3: as it was given.', example: '111122223333' })
  account_id?: string;

  @ApiPropertyOptional({ description: 'GCS.', example: 'acme-cmp' })
  project_id?: string;

  @ApiPropertyOptional({
    description: 'GCS: the service account of the key. The key itself is never returned.',
    example: 'exports@acme-cmp.iam.gserviceaccount.com',
  })
  client_email?: string;
}

export class PropertiesResponse {
  @ApiProperty({ example: 1 })
  frequency: number;

  @ApiPropertyOptional({
    description: 'Of analytics exports only when it was asked for.',
    example: ['users'],
    type: [String],
  })
  data?: string[];

  @ApiPropertyOptional({ description: 'When it was asked for.', enum: ['gzip', 'zstd'], example: 'zstd' })
  compression?: string;

  @ApiProperty({ description: 'The bucket that is delivered to.', example: 'consent-exports-acme-x7f2' })
  bucket_name: string;

  @ApiPropertyOptional({
    description: 'S3: assume this role to read the bucket.',
    example: 'arn:aws:iam::999999999999:role/consent-exports-acme-x7f2-role',
  })
  bucket_access_role_arn?: string;
}

/** An integration: the request, what was made for it, and its state (contracts.md §1.3, D-2, D-20). */
export class IntegrationResponse {
  @ApiProperty({
    description: 'Also the `export_id` of logs and of the delivered paths.',
    example: S3_INTEGRATION_EXAMPLE.id,
  })
  id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ enum: INTEGRATION_TYPE_IDS, example: 'batch-exports-s3' })
  type_id: string;

  @ApiProperty({ type: AuthenticationResponse })
  authentication: AuthenticationResponse;

  @ApiProperty({ type: PropertiesResponse })
  properties: PropertiesResponse;

  @ApiProperty({ example: [], isArray: true, type: Object })
  mappings: unknown[];

  @ApiProperty({ example: true })
  enabled: boolean;

  @ApiProperty({ enum: ['active', 'disabled'], example: 'active' })
  status: string;

  @ApiProperty({ format: 'date-time', example: S3_INTEGRATION_EXAMPLE.created_at })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: S3_INTEGRATION_EXAMPLE.updated_at })
  updated_at: string;

  @ApiProperty({ description: 'What was accepted but looks wrong, in sentences.', example: [], type: [String] })
  warnings: string[];
}

export class IntegrationPage {
  @ApiProperty({ type: [IntegrationResponse] })
  data: IntegrationResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}

export class OwnerStepResponse {
  @ApiProperty({ example: 'Read the delivered files' })
  title: string;

  @ApiProperty({ example: 'Assume the role, then copy the files of a day.' })
  text: string;

  @ApiProperty({ description: 'Ready to copy, your values filled in.', example: 'aws s3 ls ...' })
  code: string;

  @ApiProperty({ enum: ['bash', 'json'], example: 'bash' })
  language: string;
}

/** What the owner of the destination does on his side. */
export class OwnerStepsResponse {
  @ApiProperty({ example: S3_INTEGRATION_EXAMPLE.id })
  export_id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ type: [OwnerStepResponse] })
  steps: OwnerStepResponse[];
}
