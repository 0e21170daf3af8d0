import 'reflect-metadata';
import { IsIn, IsString, Matches } from 'class-validator';
import { forms } from './forms';

/** What changes consent data besides new events. */
export const commandTypes = ['event.amended', 'event.removed', 'user.erased'] as const;

/**
 * The envelope of every message on `consent.commands.v1`, which only consent-ingest may write. What each command carries
 * comes with the command; this version records none of them.
 */
export class ConsentCommandMessage {
  @IsIn([...commandTypes])
  type: (typeof commandTypes)[number];

  /** The organization whose data is changed. */
  @IsString()
  @Matches(forms.organizationId.pattern)
  organization_id: string;
}
