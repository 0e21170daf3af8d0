import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, Matches, MaxLength } from 'class-validator';
import { IfGiven } from './if-given';

const NAME = { description: 'What it is for, in a few words.', example: 'reporting' };
const NAME_FORM = /^(?=.*\S)[^\p{Cc}\p{Cs}]+$/u;
const NAME_RULE = { message: 'must not be empty, and have no control characters' };
const DESCRIPTION = { example: 'Nightly import into the warehouse' };
/** Lines and tabs are fine; what the database cannot hold is not. */
const DESCRIPTION_FORM = /^[^\0\p{Cs}]*$/u;
const DESCRIPTION_RULE = { message: 'must not hold NUL or half a character' };

/** `POST /v1/keys` (contracts.md §1.1). */
export class CreateKeyRequest {
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

  @ApiPropertyOptional(DESCRIPTION)
  @IfGiven()
  @IsString()
  @MaxLength(1000)
  @Matches(DESCRIPTION_FORM, DESCRIPTION_RULE)
  description?: string;
}

/** `PUT /v1/keys/{id}`: what is left out becomes what it is for a new key. */
export class ReplaceKeyRequest extends CreateKeyRequest {
  @ApiPropertyOptional({ default: true, example: true })
  @IfGiven()
  @IsBoolean()
  enabled?: boolean;
}

/** `PATCH /v1/keys/{id}`: what is left out stays as it is. */
export class UpdateKeyRequest {
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

  @ApiPropertyOptional(DESCRIPTION)
  @IfGiven()
  @IsString()
  @MaxLength(1000)
  @Matches(DESCRIPTION_FORM, DESCRIPTION_RULE)
  description?: string;

  @ApiPropertyOptional({
    description: 'A disabled key gets no more tokens; those it has live on until they expire.',
    example: true,
  })
  @IfGiven()
  @IsBoolean()
  enabled?: boolean;
}

export class KeyResponse {
  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  id: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty(NAME)
  name: string;

  @ApiProperty(DESCRIPTION)
  description: string;

  @ApiProperty({ example: true })
  enabled: boolean;

  @ApiProperty({ description: 'Always false: the platform has no keys of its own.', example: false })
  is_internal: boolean;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T10:00:00.000Z' })
  created_at: string;
}

export class CreatedKeyResponse extends KeyResponse {
  @ApiProperty({ description: 'Shown this once: only a hash of it is kept.' })
  secret: string;
}

export class KeyPage {
  @ApiProperty({ type: [KeyResponse] })
  data: KeyResponse[];

  @ApiProperty({ example: 1 })
  total: number;

  @ApiProperty({ example: 100 })
  limit: number;

  @ApiProperty({ example: 0 })
  skip: number;
}
