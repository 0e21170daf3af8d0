import { RUN_STATUSES, RUN_TRIGGERS } from '@delivery/exports/domain';
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

/** What the contract calls the state of an export (contracts.md §1.8). */
export const EXPORT_LOG_STATUSES = ['pending', 'completed', 'failed'] as const;
export type ExportLogStatus = (typeof EXPORT_LOG_STATUSES)[number];

const TIME = { format: 'date-time', example: '2026-01-02T10:00:00.000Z' };
const LATER = { ...TIME, type: String, nullable: true };

export class RunConfigResponse {
  @ApiProperty({ example: '1 day' })
  frequency: string;
}

export class RunMetricsResponse {
  @ApiProperty({ description: 'Users that were delivered; 0 until the run is completed.', example: 432234 })
  users: number;
}

export class RunWindowResponse {
  @ApiProperty({ ...LATER, description: 'null for the first run, which begins where recording began.' })
  from_at: string | null;

  @ApiProperty(TIME)
  to_at: string;
}

/** How far the attempt that executes now, or executed last, came. */
export class RunProgressResponse {
  @ApiProperty({ example: 3 })
  files: number;

  @ApiProperty({ description: 'Written to the bucket, compressed.', example: 401203 })
  bytes: number;

  @ApiProperty({ example: 4000 })
  rows: number;

  @ApiProperty({ example: 4000 })
  users: number;

  @ApiProperty({ description: 'Of hourly metrics: lines.', example: 20000 })
  events: number;

  @ApiPropertyOptional({ example: 61000 })
  events_per_second?: number;

  @ApiPropertyOptional({ description: 'About how many events the run has; once known.', example: 20000 })
  estimated_events?: number;
}

/** One run of an export: the contract's log entry, and more beside it (contracts.md §1.8, D-8, D-9). */
export class RunResponse {
  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  id: string;

  @ApiProperty({ description: 'The id of the integration.', example: '58g9gnu3b5' })
  export_id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ enum: EXPORT_LOG_STATUSES, example: 'completed' })
  status: ExportLogStatus;

  @ApiProperty({ type: RunConfigResponse })
  config: RunConfigResponse;

  @ApiProperty({ type: RunMetricsResponse })
  metrics: RunMetricsResponse;

  @ApiProperty({ description: 'Why it failed and what to change.', type: String, nullable: true, example: null })
  result: string | null;

  @ApiProperty({ description: 'The status in detail.', enum: RUN_STATUSES, example: 'completed' })
  state: string;

  @ApiProperty({ description: 'The last failure, also of a run that is tried again.', type: String, nullable: true })
  result_code: string | null;

  @ApiProperty({ description: 'The last failure in words.', type: String, nullable: true, example: null })
  result_message: string | null;

  @ApiProperty({ enum: RUN_TRIGGERS, example: 'schedule' })
  trigger: string;

  @ApiProperty({ description: 'The date in the path of the files.', example: '2026-01-02' })
  date: string;

  @ApiProperty(TIME)
  due_at: string;

  @ApiProperty({ description: 'All due times that this run stands for.', type: [String], example: [TIME.example] })
  due_times: string[];

  @ApiProperty(TIME)
  created_at: string;

  @ApiProperty(LATER)
  started_at: string | null;

  @ApiProperty(LATER)
  finished_at: string | null;

  @ApiProperty({ description: 'When this part of the log was planned.', type: RunWindowResponse })
  window: RunWindowResponse;

  @ApiProperty({ ...LATER, description: 'Everything that arrived before is in this or an earlier run.' })
  complete_until: string | null;

  @ApiProperty({ description: 'How often it was begun.', example: 1 })
  attempt: number;

  @ApiProperty({ ...LATER, example: null })
  next_retry_at: string | null;

  @ApiProperty({ example: 3 })
  files: number;

  @ApiProperty({ example: 401203 })
  bytes: number;

  @ApiProperty({ example: 4000 })
  rows: number;

  @ApiProperty({ type: RunProgressResponse })
  progress: RunProgressResponse;

  @ApiProperty({
    description: 'Earlier runs that are not delivered: failed or cancelled.',
    type: [String],
    example: [],
  })
  missing: string[];

  @ApiProperty({ description: 'Key of the manifest in the bucket, once completed.', type: String, nullable: true })
  manifest_key: string | null;
}

/** A due run that waits until everything that had arrived by its due time is recorded. */
export class WaitingRunResponse {
  @ApiProperty({ example: '58g9gnu3b5' })
  export_id: string;

  @ApiProperty(TIME)
  due_at: string;

  @ApiProperty({ example: 'partition 3 of consent.events.v1 is 1,204 messages behind' })
  waiting_for: string;

  @ApiProperty(TIME)
  waiting_since: string;
}

export class RunPage {
  @ApiProperty({ type: [RunResponse] })
  data: RunResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;

  @ApiProperty({ description: 'Due, and not planned yet.', type: [WaitingRunResponse] })
  waiting: WaitingRunResponse[];
}
