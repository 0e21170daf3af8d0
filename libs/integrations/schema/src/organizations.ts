import { ApiProperty } from '@nestjs/swagger';

export class OrganizationResponse {
  @ApiProperty({ example: 'acme' })
  id: string;

  @ApiProperty({ example: 'Acme' })
  name: string;

  @ApiProperty({ description: 'Whether guests are exported too; set by the operator.', example: false })
  exports_guests: boolean;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  updated_at: string;
}

/** What an organization may have (contracts.md §1.2). */
export class QuotaResponse {
  @ApiProperty({ example: 'acme' })
  id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ description: 'Enabled export integrations at a time.', example: 3 })
  exports_configs: number;

  @ApiProperty({ description: 'Destinations of one export configuration.', example: 2 })
  exports_destinations: number;

  @ApiProperty({ description: 'Proof reports a month.', example: 10 })
  consent_proof_reports: number;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  created_at: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  updated_at: string;

  @ApiProperty({ example: 1 })
  version: number;
}

export class QuotaPage {
  @ApiProperty({ type: [QuotaResponse] })
  data: QuotaResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}
