import {
  type Aggregation,
  AGGREGATIONS,
  ANALYTICS_ID,
  FREQUENCIES,
  type Frequency,
  MAX_SETTINGS_IDS,
  SETTINGS_ID,
} from '@delivery/analytics/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import { IfGiven } from './if-given';
import { ANALYTICS_ID_EXAMPLE, CREATE_ANALYTICS_ID_EXAMPLE } from './examples';

const { id, name, settings_ids, frequencies, aggregations, reports_from } = ANALYTICS_ID_EXAMPLE;
const ID = { description: 'What the URLs of downloads name it.', example: id };
const NAME = { description: 'What it is for, in a few words.', example: name };
const NAME_FORM = /^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u;
const NAME_RULE = { message: 'must not be empty, and have no control characters' };
const SETTINGS_IDS = { description: 'The settings whose interactions are reported.', example: settings_ids };
const SETTINGS_RULE = { each: true, message: 'must be settings ids: 1 to 64 letters, digits, "_", "." or "-"' };
const EACH_FREQUENCY = { isArray: true, enum: FREQUENCIES, example: frequencies } as const;
const EACH_AGGREGATION = { isArray: true, enum: AGGREGATIONS, example: aggregations } as const;
const OF_FREQUENCIES = { each: true, message: `must be of ${FREQUENCIES.join(', ')}` };
const OF_AGGREGATIONS = { each: true, message: `must be of ${AGGREGATIONS.join(', ')}` };
const REPORTS_FROM = { description: 'Periods that end before this day (UTC) have no report.', example: reports_from };

/** `POST /v1/analytics/ids` (contracts.md §2.1). */
export class CreateAnalyticsIdRequest {
  @ApiPropertyOptional({ description: 'The organization of the signed-in key.', example: 'acme' })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiPropertyOptional({
    description: 'Your own, as your scripts name it already: 1 to 64 letters, digits, "-" and "_". Else one is made.',
    example: CREATE_ANALYTICS_ID_EXAMPLE.id,
  })
  @IfGiven()
  @Matches(ANALYTICS_ID, { message: 'must be 1 to 64 letters, digits, "-" and "_"' })
  id?: string;

  @ApiProperty(NAME)
  @IsString()
  @Matches(NAME_FORM, NAME_RULE)
  @MaxLength(200)
  name: string;

  @ApiProperty(SETTINGS_IDS)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SETTINGS_IDS)
  @ArrayUnique()
  @Matches(SETTINGS_ID, SETTINGS_RULE)
  settings_ids: string[];

  @ApiPropertyOptional({ ...EACH_FREQUENCY, description: 'How often reports are made; all if left out.' })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(FREQUENCIES, OF_FREQUENCIES)
  frequencies?: Frequency[];

  @ApiPropertyOptional({ ...EACH_AGGREGATION, description: 'Which reports are made; all if left out.' })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(AGGREGATIONS, OF_AGGREGATIONS)
  aggregations?: Aggregation[];

  @ApiPropertyOptional({ description: `${REPORTS_FROM.description} Today if left out.`, example: '2026-01-01' })
  @IfGiven()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'must be a day, YYYY-MM-DD' })
  reports_from?: string;
}

/** `PATCH /v1/analytics/ids/{id}`: what is left out stays as it is. */
export class UpdateAnalyticsIdRequest {
  @ApiPropertyOptional({ example: 'acme' })
  @IfGiven()
  @IsString()
  @MaxLength(64)
  organization_id?: string;

  @ApiPropertyOptional(NAME)
  @IfGiven()
  @IsString()
  @Matches(NAME_FORM, NAME_RULE)
  @MaxLength(200)
  name?: string;

  @ApiPropertyOptional({ ...SETTINGS_IDS, description: 'Of reports that are planned from now on.' })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SETTINGS_IDS)
  @ArrayUnique()
  @Matches(SETTINGS_ID, SETTINGS_RULE)
  settings_ids?: string[];

  @ApiPropertyOptional({
    ...EACH_FREQUENCY,
    description: 'For one that is new, reports are made from `reports_from` on.',
  })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(FREQUENCIES, OF_FREQUENCIES)
  frequencies?: Frequency[];

  @ApiPropertyOptional({
    ...EACH_AGGREGATION,
    description: 'For one that is new, reports are made from `reports_from` on.',
  })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(AGGREGATIONS, OF_AGGREGATIONS)
  aggregations?: Aggregation[];

  @ApiPropertyOptional({
    description:
      'false: no reports are made, and none can be downloaded. What was missed is made once it is true again.',
    example: true,
  })
  @IfGiven()
  @IsBoolean()
  enabled?: boolean;
}

export class AnalyticsIdResponse {
  @ApiProperty(ID)
  id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty(NAME)
  name: string;

  @ApiProperty({ ...SETTINGS_IDS, type: [String] })
  settings_ids: readonly string[];

  @ApiProperty(EACH_FREQUENCY)
  frequencies: readonly Frequency[];

  @ApiProperty(EACH_AGGREGATION)
  aggregations: readonly Aggregation[];

  @ApiProperty(REPORTS_FROM)
  reports_from: string;

  @ApiProperty({ description: 'While false, no reports are made, and none can be downloaded.', example: true })
  enabled: boolean;

  @ApiProperty({ format: 'date-time', example: ANALYTICS_ID_EXAMPLE.created_at })
  created_at: string;
}

export class AnalyticsIdPage {
  @ApiProperty({ type: [AnalyticsIdResponse] })
  data: AnalyticsIdResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}
