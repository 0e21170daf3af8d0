import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from './if-given';

/** `POST /v1/exports/execute`: deliver now what the next scheduled run would. */
export class ExecuteExportRequest {
  @ApiPropertyOptional({ description: 'May be given in the query string instead.', example: 'acme' })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiProperty({ description: 'The id of the integration.', example: '58g9gnu3b5' })
  @IsString()
  @MaxLength(64)
  export_id: string;
}

export const EXPORT_LOG_STATUSES = ['pending', 'completed', 'failed'] as const;
export type ExportLogStatus = (typeof EXPORT_LOG_STATUSES)[number];
