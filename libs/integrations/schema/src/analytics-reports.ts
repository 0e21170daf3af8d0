import { type Aggregation, AGGREGATIONS, FREQUENCIES, type Frequency } from '@delivery/analytics/domain';
import { ApiProperty } from '@nestjs/swagger';

/** `pending` and `running` are not there yet; `removed` is older than reports are kept. */
export const REPORT_STATES = ['pending', 'running', 'published', 'removed'] as const;
export type ReportState = (typeof REPORT_STATES)[number];

const TIME = { format: 'date-time', example: '2026-01-02T07:31:04.000Z' };
const LATER = { ...TIME, type: String, nullable: true };

/** One report, as it stands. */
export class ReportResponse {
  @ApiProperty({ example: '58g9gnu3b5' })
  analytics_id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ description: 'Its name in the URL of downloads.', example: 'interaction-2026-01-01' })
  file_prefix: string;

  @ApiProperty({ enum: AGGREGATIONS, example: 'interaction' })
  aggregation: Aggregation;

  @ApiProperty({ enum: FREQUENCIES, example: 'daily' })
  frequency: Frequency;

  @ApiProperty({ example: '2026-01-01' })
  first_day: string;

  @ApiProperty({ example: '2026-01-01' })
  last_day: string;

  @ApiProperty({ description: 'What it is made of: frozen when it was planned.', type: [String], example: ['s-1'] })
  settings_ids: readonly string[];

  @ApiProperty({ enum: REPORT_STATES, example: 'published' })
  state: ReportState;

  @ApiProperty({ description: '0 until it is published.', example: 1 })
  files: number;

  @ApiProperty({ description: 'Without headers.', example: 431 })
  rows: number;

  @ApiProperty({ example: 21045 })
  bytes: number;

  @ApiProperty({ description: 'How often it was begun.', example: 1 })
  attempt: number;

  @ApiProperty(TIME)
  planned_at: string;

  @ApiProperty({ ...LATER, description: 'When it is tried again after a failure.', example: null })
  next_retry_at: string | null;

  @ApiProperty(LATER)
  published_at: string | null;

  @ApiProperty({ ...LATER, example: null })
  removed_at: string | null;
}

export class ReportPage {
  @ApiProperty({ type: [ReportResponse] })
  data: ReportResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}

/** One line of the access log. */
export class DownloadResponse {
  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  id: string;

  @ApiProperty(TIME)
  at: string;

  @ApiProperty({
    description:
      '`links`: links were asked for. `file`: one was followed, where the gateway serves files itself; where links lead ' +
      "to S3 or Cloud Storage, downloads are in the bucket's own log.",
    enum: ['links', 'file'],
    example: 'links',
  })
  kind: string;

  @ApiProperty({ description: 'The key that asked, or that the link was made for.', type: String, nullable: true })
  key_id: string | null;

  @ApiProperty({ description: 'As it was asked for.', example: '58g9gnu3b5' })
  analytics_id: string;

  @ApiProperty({ description: 'The report or file, as it was asked for.', example: 'interaction-2026-01-01' })
  file: string;

  @ApiProperty({ description: 'Of the answer.', example: 200 })
  status: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Of a file: how much of it was sent; null until it has ended, and when the gateway ended before it could tell.',
    example: null,
  })
  bytes: number | null;

  @ApiProperty({
    type: 'integer',
    description: 'Requests that this stands for: those with one key that are answered 401 or 429 in a minute are one.',
    example: 1,
  })
  times: number;

  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' })
  address: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'curl/8.5.0' })
  user_agent: string | null;
}

export class DownloadPage {
  @ApiProperty({ type: [DownloadResponse] })
  data: DownloadResponse[];

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({
    description: 'Sent as `$cursor`, it gives the next page; null when this is the last.',
    type: String,
    nullable: true,
    example: null,
  })
  cursor: string | null;
}
