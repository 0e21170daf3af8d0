import type { ConsentEvent, Consents, Delegate, EventStatus, JsonObject } from './event';
import type { Position } from './order-key';
import type { ConsentUserState } from './user-state';

/**
 * The finished JSON of an event in a delivered line (contracts §1.6): every field present (a purpose's `preferences` where
 * it has some), keys in one order, so that an export copies it untouched. `regulation` and `user.organization_user_id_type` are additive.
 */
export function eventDocument(event: ConsentEvent, version: number): string {
  return JSON.stringify({
    id: event.id,
    organization_id: event.organizationId,
    status: event.status,
    source: event.source,
    regulation: event.regulation,
    created_at: isoTime(event.createdAt),
    updated_at: isoTime(event.updatedAt),
    user: {
      id: event.userId,
      organization_user_id: event.organizationUserId,
      organization_user_id_type: event.organizationUserIdType,
      metadata: event.userMetadata,
    },
    country: event.country,
    last_seen_country: event.lastSeenCountry,
    metadata: event.metadata,
    consents: event.consents,
    proofs_id: event.proofsId,
    delegate: event.delegate,
    validation: event.validation,
    version,
  });
}

/** The finished JSON of a user in a delivered line; `proofs_id`, `source` and `status` are always null (batch export fields). */
export function userDocument(state: ConsentUserState): string {
  return JSON.stringify({
    id: state.id,
    organization_id: state.organizationId,
    organization_user_id: state.organizationUserId,
    organization_user_id_type: state.organizationUserIdType,
    version: state.version,
    created_at: isoTime(state.createdAt),
    updated_at: isoTime(state.updatedAt),
    country: state.country,
    last_seen_country: state.lastSeenCountry,
    metadata: state.metadata,
    consents: state.consents,
    delegate: state.delegate,
    validation: state.validation,
    proofs_id: null,
    source: null,
    status: null,
  });
}

interface UserDocument {
  id: string;
  organization_id: string;
  organization_user_id: string | null;
  organization_user_id_type: string | null;
  version: number;
  created_at: string;
  updated_at: string;
  country: string | null;
  last_seen_country: string | null;
  metadata: JsonObject;
  consents: Consents;
  delegate: Delegate | null;
  validation: JsonObject | null;
}

/** Reads back what `userDocument` wrote. */
export function parseUserDocument(text: string): ConsentUserState {
  const document = JSON.parse(text) as UserDocument;
  return {
    organizationId: document.organization_id,
    id: document.id,
    organizationUserId: document.organization_user_id,
    organizationUserIdType: document.organization_user_id_type,
    version: document.version,
    createdAt: Date.parse(document.created_at),
    updatedAt: Date.parse(document.updated_at),
    country: document.country,
    lastSeenCountry: document.last_seen_country,
    metadata: document.metadata,
    consents: document.consents,
    delegate: document.delegate,
    validation: document.validation,
  };
}

interface EventDocument {
  id: string;
  organization_id: string;
  status: EventStatus;
  source: string | null;
  regulation: string;
  created_at: string;
  updated_at: string;
  user: {
    id: string;
    organization_user_id: string | null;
    organization_user_id_type: string | null;
    metadata: JsonObject | null;
  };
  country: string | null;
  last_seen_country: string | null;
  metadata: JsonObject;
  consents: Consents;
  proofs_id: string[];
  delegate: Delegate | null;
  validation: JsonObject | null;
}

/** Reads back what `eventDocument` wrote; order key and position are columns of its row. */
export function parseEventDocument(text: string, row: { effectiveAt: number; position: Position }): ConsentEvent {
  const document = JSON.parse(text) as EventDocument;
  return {
    organizationId: document.organization_id,
    id: document.id,
    userId: document.user.id,
    organizationUserId: document.user.organization_user_id,
    organizationUserIdType: document.user.organization_user_id_type,
    regulation: document.regulation,
    status: document.status,
    source: document.source,
    createdAt: Date.parse(document.created_at),
    updatedAt: Date.parse(document.updated_at),
    effectiveAt: row.effectiveAt,
    position: row.position,
    country: document.country,
    lastSeenCountry: document.last_seen_country,
    userMetadata: document.user.metadata,
    metadata: document.metadata,
    consents: document.consents,
    proofsId: document.proofs_id,
    delegate: document.delegate,
    validation: document.validation,
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
