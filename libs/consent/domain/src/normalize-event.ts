import type { ChannelChoice, Choice, ConsentEvent, Consents, Delegate, JsonObject, PurposeChoice } from './event';
import { derivedUserId, eventIdFromPosition } from './ids';
import type { Position } from './order-key';

type Given<T> = T | null | undefined;

/** A consent event as a producer or a REST client sends it, after validation (see the published JSON Schema). */
export interface ConsentEventInput {
  organization_id: string;
  id?: Given<string>;
  created_at?: Given<string>;
  status?: Given<'confirmed' | 'pending_approval'>;
  regulation?: Given<string>;
  source?: Given<string>;
  user?: Given<{
    id?: Given<string>;
    organization_user_id?: Given<string>;
    organization_user_id_type?: Given<string>;
    metadata?: Given<JsonObject>;
    country?: Given<string>;
    last_seen_country?: Given<string>;
  }>;
  consents?: Given<ConsentsInput>;
  proofs_id?: Given<string[]>;
  delegate?: Given<Delegate>;
  validation?: Given<JsonObject>;
  metadata?: Given<JsonObject>;
  country?: Given<string>;
  last_seen_country?: Given<string>;
}

export interface ConsentsInput {
  channels?: Given<ChannelInput[]>;
  purposes?: Given<PurposeInput[]>;
  vendors?: Given<{
    enabled?: Given<string[]>;
    enabled_li?: Given<string[]>;
    disabled?: Given<string[]>;
    disabled_li?: Given<string[]>;
  }>;
  tcfcs?: Given<string>;
}

interface PurposeInput {
  id: string;
  enabled?: Given<boolean>;
  enabled_li?: Given<boolean>;
  preferences?: Given<{ id: string; enabled?: Given<boolean>; channels?: Given<ChannelInput[]> }[]>;
}

interface ChannelInput {
  id: string;
  enabled?: Given<boolean>;
}

/** Where and when the message arrived; `arrivedAt` is the log's append time in milliseconds since 1970 UTC. */
export interface Arrival {
  clusterId: string;
  topic: string;
  position: Position;
  arrivedAt: number;
}

/** Fills in what the input leaves out. Pure: one input at one position always gives the same event. */
export function normalizeEvent(input: ConsentEventInput, arrival: Arrival): ConsentEvent {
  const { position, arrivedAt } = arrival;
  const { user } = input;
  const id = input.id ?? eventIdFromPosition({ clusterId: arrival.clusterId, topic: arrival.topic, ...position });
  const createdAt = input.created_at ? Date.parse(input.created_at) : arrivedAt;
  const organizationUserId = user?.organization_user_id ?? null;
  return {
    organizationId: input.organization_id,
    id,
    userId: user?.id ?? derivedUserId(input.organization_id, organizationUserId ?? undefined, id),
    organizationUserId,
    organizationUserIdType: user?.organization_user_id_type ?? null,
    regulation: input.regulation ?? 'gdpr',
    status: input.status ?? 'confirmed',
    source: input.source ?? null,
    createdAt,
    updatedAt: createdAt,
    effectiveAt: Math.min(createdAt, arrivedAt),
    position,
    country: user?.country ?? input.country ?? null,
    lastSeenCountry: user?.last_seen_country ?? input.last_seen_country ?? null,
    userMetadata: user?.metadata ?? null,
    metadata: input.metadata ?? {},
    consents: normalizeConsents(input.consents),
    proofsId: input.proofs_id ?? [],
    delegate: input.delegate ?? null,
    validation: input.validation ?? null,
  };
}

export function normalizeConsents(input: Given<ConsentsInput>): Consents {
  const vendors = input?.vendors;
  return {
    channels: (input?.channels ?? []).map(normalizeChannel),
    purposes: (input?.purposes ?? []).map(normalizePurpose),
    vendors: {
      enabled: vendors?.enabled ?? [],
      enabled_li: vendors?.enabled_li ?? [],
      disabled: vendors?.disabled ?? [],
      disabled_li: vendors?.disabled_li ?? [],
    },
    tcfcs: input?.tcfcs ?? null,
  };
}

function normalizePurpose(purpose: PurposeInput): PurposeChoice {
  const { id } = purpose;
  const enabled = choice(purpose.enabled);
  const enabled_li = choice(purpose.enabled_li);
  if (!purpose.preferences?.length) return { id, enabled, enabled_li };
  const preferences = purpose.preferences.map((preference) => ({
    id: preference.id,
    enabled: choice(preference.enabled),
    channels: (preference.channels ?? []).map(normalizeChannel),
  }));
  return { id, enabled, enabled_li, preferences };
}

function normalizeChannel(channel: ChannelInput): ChannelChoice {
  return { id: channel.id, enabled: choice(channel.enabled) };
}

function choice(given: Given<boolean>): Choice {
  return given ?? null;
}
