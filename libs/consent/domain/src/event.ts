import type { OrderKey, Position } from './order-key';

/** A value a customer defines himself: kept and delivered as it came. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** `true` agreed, `false` refused (for `enabled_li`: objected), `null` no explicit choice. */
export type Choice = boolean | null;

export interface ChannelChoice {
  id: string;
  enabled: Choice;
}

export interface PreferenceChoice {
  id: string;
  enabled: Choice;
  channels: readonly ChannelChoice[];
}

export interface PurposeChoice {
  id: string;
  enabled: Choice;
  enabled_li: Choice;
  /** Absent when there are none: most purposes have none, and twenty empty lists would be a fifth of a document. */
  preferences?: readonly PreferenceChoice[];
}

export interface VendorChoices {
  enabled: readonly string[];
  enabled_li: readonly string[];
  disabled: readonly string[];
  disabled_li: readonly string[];
}

/** Choices in the delivered shape (contracts §1.6): lists present, unknown choices `null`. */
export interface Consents {
  channels: readonly ChannelChoice[];
  purposes: readonly PurposeChoice[];
  vendors: VendorChoices;
  tcfcs: string | null;
}

export type EventStatus = 'confirmed' | 'pending_approval' | 'removed';

export interface Delegate extends JsonObject {
  id: string;
}

/** A consent event as it is recorded: defaults filled in, times in milliseconds since 1970 UTC. */
export interface ConsentEvent {
  organizationId: string;
  id: string;
  userId: string;
  organizationUserId: string | null;
  organizationUserIdType: string | null;
  regulation: string;
  status: EventStatus;
  source: string | null;
  /** What the client said, or the arrival. Data only: never used to order or to cut windows. */
  createdAt: number;
  updatedAt: number;
  /** min(client's time, arrival): the event's place in its user's history. */
  effectiveAt: number;
  position: Position;
  country: string | null;
  lastSeenCountry: string | null;
  userMetadata: JsonObject | null;
  metadata: JsonObject;
  consents: Consents;
  proofsId: readonly string[];
  delegate: Delegate | null;
  validation: JsonObject | null;
}

export function orderKeyOf(event: ConsentEvent): OrderKey {
  return { effectiveAt: event.effectiveAt, position: event.position };
}

/** Guests are seen by an SDK only and never named by the customer (contracts D-24). */
export function isGuestEvent(event: ConsentEvent): boolean {
  return event.organizationUserId === null && event.source !== null && event.source.startsWith('sdk-');
}
