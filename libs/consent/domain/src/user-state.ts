import type { Consents, Delegate, JsonObject } from './event';

/** What a user's confirmed events fold into, per regulation. Times in milliseconds since 1970 UTC. */
export interface ConsentUserState {
  organizationId: string;
  id: string;
  organizationUserId: string | null;
  organizationUserIdType: string | null;
  /** Number of modifications; given by the store under the user's row lock, not by the fold. */
  version: number;
  createdAt: number;
  updatedAt: number;
  country: string | null;
  lastSeenCountry: string | null;
  metadata: JsonObject;
  consents: Consents;
  delegate: Delegate | null;
  validation: JsonObject | null;
}
