import 'reflect-metadata';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import type { JsonObject } from '@delivery/consent/domain';
import { forms } from './forms';

export class ChannelMessage {
  /** Id of the channel. */
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  id: string;

  /** `true` agreed, `false` refused, `null` or absent: no choice. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;
}

export class PreferenceMessage {
  /** Id of the preference. */
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  id: string;

  /** `true` agreed, `false` refused, `null` or absent: no choice. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;

  /** Channels the preference is limited to. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ChannelMessage)
  channels?: ChannelMessage[] | null;
}

export class PurposeMessage {
  /** Id of the purpose. */
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  id: string;

  /** Choice based on consent. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;

  /** Choice based on legitimate interest; `false` means objected. */
  @IsOptional()
  @IsBoolean()
  enabled_li?: boolean | null;

  /** Preferences below the purpose. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(200)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => PreferenceMessage)
  preferences?: PreferenceMessage[] | null;
}

export class VendorsMessage {
  /** Vendors agreed to, based on consent. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(5000)
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  enabled?: string[] | null;

  /** Vendors not objected to, based on legitimate interest. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(5000)
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  enabled_li?: string[] | null;

  /** Vendors refused, based on consent. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(5000)
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  disabled?: string[] | null;

  /** Vendors objected to, based on legitimate interest. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(5000)
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  disabled_li?: string[] | null;
}

export class ConsentsMessage {
  /** Choices per channel. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(200)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ChannelMessage)
  channels?: ChannelMessage[] | null;

  /** Choices per purpose; those not mentioned keep what the user chose before. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => PurposeMessage)
  purposes?: PurposeMessage[] | null;

  /** Choices per vendor; those not mentioned keep what the user chose before. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => VendorsMessage)
  vendors?: VendorsMessage | null;

  /** TCF consent string. */
  @IsOptional()
  @IsString()
  @MaxLength(16_384)
  tcfcs?: string | null;
}

export class EventUserMessage {
  /** The platform's id of the user; derived from `organization_user_id` when absent. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  id?: string | null;

  /** The customer's own id of the user. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(512)
  @Matches(forms.plainText.pattern)
  organization_user_id?: string | null;

  /** What kind of id that is, for example `email`. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(forms.plainText.pattern)
  organization_user_id_type?: string | null;

  /** Anything the customer keeps about the user; replaces what was there. At most 16,384 characters as JSON and 8 levels; numbers have the precision of a double. */
  @IsOptional()
  @IsObject()
  metadata?: JsonObject | null;

  /** ISO 3166-1 alpha-2 code, set by the client. */
  @IsOptional()
  @IsString()
  @Matches(forms.country.pattern)
  country?: string | null;

  /** ISO 3166-1 alpha-2 code of the last known location. */
  @IsOptional()
  @IsString()
  @Matches(forms.country.pattern)
  last_seen_country?: string | null;
}

export class DelegateMessage {
  /** Id of the employee who recorded the choice. */
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  id: string;

  /** His name. */
  @IsOptional()
  @IsString()
  @MaxLength(512)
  name?: string | null;

  /** Anything else about him. Limits as for `metadata`. */
  @IsOptional()
  @IsObject()
  metadata?: JsonObject | null;
}

/** One choice of one user at one time, as producers publish it to `consent.events.v1` and clients send it over REST. */
export class ConsentEventMessage {
  /** The organization the event belongs to. */
  @IsString()
  @Matches(forms.organizationId.pattern)
  organization_id: string;

  /** Idempotency key: of two events with one id in an organization the first is recorded. Given by the platform when absent. */
  @IsOptional()
  @IsString()
  @Matches(forms.eventId.pattern)
  id?: string | null;

  /**
   * When the user chose, ISO 8601, from 1970 to 9998; the arrival when absent. May lie in the past; a time after the
   * arrival counts as the arrival.
   */
  @IsOptional()
  @IsString()
  @Matches(forms.date.pattern)
  created_at?: string | null;

  /** `pending_approval` is stored but not applied to the user. */
  @IsOptional()
  @IsIn(['confirmed', 'pending_approval'])
  status?: 'confirmed' | 'pending_approval' | null;

  /** Regulation the choice falls under; `gdpr` when absent. */
  @IsOptional()
  @IsString()
  @Matches(forms.regulation.pattern)
  regulation?: string | null;

  /** Where the choice was collected: `sdk-web`, `sdk-mobile`, `api`, `preference-center`. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(forms.plainText.pattern)
  source?: string | null;

  /** Who chose. Absent for a user nobody knows: he gets an id of his own. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => EventUserMessage)
  user?: EventUserMessage | null;

  /** What was chosen; may be partial. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ConsentsMessage)
  consents?: ConsentsMessage | null;

  /** Ids of proof documents. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(256, { each: true })
  proofs_id?: string[] | null;

  /** The employee who recorded the choice for the user. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => DelegateMessage)
  delegate?: (DelegateMessage & JsonObject) | null;

  /** State of a double opt-in. Limits as for `metadata`. */
  @IsOptional()
  @IsObject()
  validation?: JsonObject | null;

  /**
   * Anything the customer keeps about the event. At most 16,384 characters as JSON and 8 levels; numbers have the precision of
   * a double. The hourly metrics are counted by its texts `settings_id` (else `notice_id`), `domain`, `platform` and
   * `device_type`.
   */
  @IsOptional()
  @IsObject()
  metadata?: JsonObject | null;

  /** Same as `user.country`, which wins. */
  @IsOptional()
  @IsString()
  @Matches(forms.country.pattern)
  country?: string | null;

  /** Same as `user.last_seen_country`, which wins. */
  @IsOptional()
  @IsString()
  @Matches(forms.country.pattern)
  last_seen_country?: string | null;
}
