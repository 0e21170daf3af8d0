import 'reflect-metadata';
import {
  ACTION_TYPES,
  type ActionType,
  INTERACTION_TYPES,
  type InteractionType,
  MAX_ACTION,
} from '@delivery/analytics/domain';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { forms } from './forms';

/** Codes of actions (contracts.md §2.2). */
const actions = Array.from({ length: MAX_ACTION + 1 }, (_, code) => code);

/** A service that was decided on. */
export class ServiceDecisionMessage {
  /** The service's id in the settings. Of two with one id in a decision the last counts. */
  @IsString()
  @Matches(forms.templateId.pattern)
  template_id: string;

  /** Its name, as reports show it; the id when absent. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  name?: string | null;

  /** 1 opt-in, 0 opt-out. */
  @IsIn([0, 1])
  consent: 0 | 1;
}

/**
 * What somebody did on a consent banner, a page view, a session or a decision, as producers publish it to
 * `consent.interactions.v1` and clients send it over REST. It is counted in the hour and the day in which it arrives.
 */
export class InteractionMessage {
  /** The organization it belongs to. */
  @IsString()
  @Matches(forms.organizationId.pattern)
  organization_id: string;

  /** Idempotency key: a repetition within 24 hours is recognised by it. Without one, what is sent twice is counted twice. */
  @IsOptional()
  @IsString()
  @Matches(forms.interactionId.pattern)
  id?: string | null;

  /** What happened. `_L1` and `_L2` name the layer of the banner; without, it has none or a program chose. */
  @IsIn([...INTERACTION_TYPES])
  type: InteractionType;

  /** The settings, or the notice, of the banner. */
  @IsString()
  @Matches(forms.settingsId.pattern)
  settings_id: string;

  /** The device. Decisions are counted per device and day: they need it, or `controller_id`. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  device_id?: string | null;

  /** Stands for the device where `device_id` is absent. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  controller_id?: string | null;

  /** Sessions with one id are counted once an hour; without, each is counted. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  @Matches(forms.plainText.pattern)
  session_id?: string | null;

  /** `web`, `app`, `amp` and the like. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(forms.plainText.pattern)
  platform?: string | null;

  /** `desktop`, `mobile`, `tablet` and the like. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(forms.plainText.pattern)
  device_type?: string | null;

  /** Where the banner was shown. */
  @IsOptional()
  @IsString()
  @MaxLength(253)
  @Matches(forms.plainText.pattern)
  domain?: string | null;

  /** ISO 3166-1 alpha-2 code. */
  @IsOptional()
  @IsString()
  @Matches(forms.country.pattern)
  country?: string | null;

  /** `bot` for bots. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(forms.plainText.pattern)
  browser?: string | null;

  /** Regulation that the banner asks under. */
  @IsOptional()
  @IsString()
  @Matches(forms.regulation.pattern)
  regulation?: string | null;

  /** The client's own time, ISO 8601, from 1970 to 9998: data, never what a period is chosen by. */
  @IsOptional()
  @IsString()
  @Matches(forms.date.pattern)
  created_at?: string | null;

  /**
   * What led to a decision; only a `DECISION` has it. 0 accepted all, 1 denied all, 2 essential change, 3 initial page
   * load, 4 region without the regulation, 5 session restored, 6 TCF string changed, 7 services updated, 8 mobile session
   * restored.
   */
  @IsOptional()
  @IsIn(actions)
  action?: number | null;

  /** Whether a person decided, or what applies without it, in small or capital letters; only a `DECISION` has it. */
  @IsOptional()
  @IsIn([...ACTION_TYPES])
  action_type?: ActionType | null;

  /** The services decided on, at least one; only a `DECISION` has them. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(500)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ServiceDecisionMessage)
  services?: ServiceDecisionMessage[] | null;
}
