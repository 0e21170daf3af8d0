import { type Aggregation, AGGREGATIONS, FREQUENCIES, type Frequency } from '@delivery/analytics/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMinSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from './if-given';

const NAME = { description: 'Who has it, in a few words.', example: 'power-bi' };
const NAME_FORM = /^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u;
const NAME_RULE = { message: 'must not be empty, and have no control characters' };
const OF_FREQUENCIES = { each: true, message: `must be of ${FREQUENCIES.join(', ')}` };
const OF_AGGREGATIONS = { each: true, message: `must be of ${AGGREGATIONS.join(', ')}` };

/** `POST /v1/analytics/ids/{id}/keys`: a key that opens reports of this analytics id, and nothing else. */
export class CreateAnalyticsKeyRequest {
  @ApiPropertyOptional({ description: 'The organization of the signed-in key.', example: 'acme' })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiProperty(NAME)
  @IsString()
  @Matches(NAME_FORM, NAME_RULE)
  @MaxLength(200)
  name: string;

  @ApiPropertyOptional({
    description: 'The only frequencies that it opens; if left out, all that the analytics id has.',
    isArray: true,
    enum: FREQUENCIES,
    example: ['daily'],
  })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(FREQUENCIES, OF_FREQUENCIES)
  frequencies?: Frequency[];

  @ApiPropertyOptional({
    description: 'The only aggregations that it opens; if left out, all that the analytics id has.',
    isArray: true,
    enum: AGGREGATIONS,
    example: ['interaction'],
  })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(AGGREGATIONS, OF_AGGREGATIONS)
  aggregations?: Aggregation[];
}

/** `PATCH /v1/analytics/ids/{id}/keys/{key}`. */
export class UpdateAnalyticsKeyRequest {
  @ApiPropertyOptional({ example: 'acme' })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiProperty({ description: 'false: it opens nothing any more, within five seconds.', example: false })
  @IsBoolean()
  enabled: boolean;
}

export class AnalyticsKeyResponse {
  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ example: '58g9gnu3b5' })
  analytics_id: string;

  @ApiProperty(NAME)
  name: string;

  @ApiProperty({
    description: 'null: all that the analytics id has.',
    isArray: true,
    enum: FREQUENCIES,
    nullable: true,
    example: ['daily'],
  })
  frequencies: readonly Frequency[] | null;

  @ApiProperty({
    description: 'null: all that the analytics id has.',
    isArray: true,
    enum: AGGREGATIONS,
    nullable: true,
    example: ['interaction'],
  })
  aggregations: readonly Aggregation[] | null;

  @ApiProperty({ example: true })
  enabled: boolean;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  created_at: string;
}

export class CreatedAnalyticsKeyResponse extends AnalyticsKeyResponse {
  @ApiProperty({
    description: 'Sent as `x-api-key`, or as `apiKey` in the query. Shown this once: only a hash of it is kept.',
    example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11.<secret>',
  })
  api_key: string;
}

export class AnalyticsKeyPage {
  @ApiProperty({ type: [AnalyticsKeyResponse] })
  data: AnalyticsKeyResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}
