import type { Place } from './ledger';
import type { Value, WireChannel, WireConsents, WireEvent, WirePreference, WirePurpose } from './wire-event';

/** An event that should have been recorded, and the place that counts. */
export interface Expected {
  event: WireEvent;
  via: 'kafka' | 'rest';
  place: Place;
}

/** The client's time, but never later than the arrival. */
function effectiveAt({ event, place }: Expected): number {
  return event.created_at ? Math.min(Date.parse(event.created_at), place.arrivedAt) : place.arrivedAt;
}

/** The order of a user's history: effective time, then the place in the log. */
export function inOrder(events: readonly Expected[]): Expected[] {
  return [...events].sort(
    (a, b) =>
      effectiveAt(a) - effectiveAt(b) ||
      a.place.epoch - b.place.epoch ||
      a.place.partition - b.place.partition ||
      Number(a.place.offset - b.place.offset),
  );
}

const iso = (time: number) => new Date(time).toISOString();

/** The fields of an event's document that follow from what was sent. */
export function expectedEvent({ event, via, place }: Expected): Record<string, unknown> {
  const createdAt = iso(event.created_at ? Date.parse(event.created_at) : place.arrivedAt);
  return {
    ...(event.id ? { id: event.id } : {}),
    organization_id: event.organization_id,
    status: event.status ?? 'confirmed',
    source: event.source ?? (via === 'rest' ? 'api' : null),
    created_at: createdAt,
    updated_at: createdAt,
    user: {
      ...(event.user?.id ? { id: event.user.id } : {}),
      organization_user_id: event.user?.organization_user_id ?? null,
      metadata: event.user?.metadata ?? null,
    },
    country: event.user?.country ?? event.country ?? null,
    last_seen_country: event.user?.last_seen_country ?? event.last_seen_country ?? null,
    metadata: event.metadata ?? {},
    consents: givenConsents(event.consents ?? {}),
    proofs_id: event.proofs_id ?? [],
    delegate: event.delegate ?? null,
    validation: event.validation ?? null,
    version: 1,
  };
}

/**
 * What a user's confirmed events (of one regulation) add up to: each event changes only what it speaks of, the newest
 * word counts, and the first mention decides about the place in a list.
 */
export function expectedUser(events: readonly Expected[]): Record<string, unknown> {
  const ordered = inOrder(events);
  const oldest = ordered[0];
  const newest = ordered.at(-1);
  if (oldest === undefined || newest === undefined) return {};
  const last = <T>(pick: (event: WireEvent) => T | null | undefined): T | null =>
    ordered.map(({ event }) => pick(event)).findLast((value) => value !== null && value !== undefined) ?? null;
  const id = last(({ user }) => user?.id);
  return {
    ...(id === null ? {} : { id }),
    organization_id: newest.event.organization_id,
    organization_user_id: last(({ user }) => user?.organization_user_id),
    organization_user_id_type: last(({ user }) => user?.organization_user_id_type),
    version: ordered.length,
    created_at: iso(effectiveAt(oldest)),
    updated_at: iso(effectiveAt(newest)),
    country: last((event) => event.user?.country ?? event.country),
    last_seen_country: last((event) => event.user?.last_seen_country ?? event.last_seen_country),
    metadata: last(({ user }) => user?.metadata) ?? {},
    consents: consentsDocument(foldConsents(ordered.map(({ event }) => event.consents ?? {}))),
    delegate: newest.event.delegate ?? null,
    validation: newest.event.validation ?? null,
    proofs_id: null,
    source: null,
    status: null,
  };
}

/** Seen by an SDK only and never named by the customer. */
export function isGuest(events: readonly Expected[]): boolean {
  return events.every(({ event, via }) => {
    const source = event.source ?? (via === 'rest' ? 'api' : '');
    return !event.user?.organization_user_id && source.startsWith('sdk-');
  });
}

/** An event's own choices, as sent, with what was left out spelled out. */
function givenConsents({ channels, purposes, vendors, tcfcs }: WireConsents): Value {
  const channelList = (given: WireChannel[] | null | undefined) =>
    (given ?? []).map(({ id, enabled }) => ({ id, enabled: enabled ?? null }));
  return {
    channels: channelList(channels),
    purposes: (purposes ?? []).map(({ id, enabled, enabled_li, preferences }) => ({
      id,
      enabled: enabled ?? null,
      enabled_li: enabled_li ?? null,
      preferences: (preferences ?? []).map((p) => ({
        id: p.id,
        enabled: p.enabled ?? null,
        channels: channelList(p.channels),
      })),
    })),
    vendors: {
      enabled: vendors?.enabled ?? [],
      enabled_li: vendors?.enabled_li ?? [],
      disabled: vendors?.disabled ?? [],
      disabled_li: vendors?.disabled_li ?? [],
    },
    tcfcs: tcfcs ?? null,
  };
}

type Choice = boolean | null;
type Channels = Map<string, Choice>;
type Preferences = Map<string, { enabled: Choice; channels: Channels }>;
type Purposes = Map<string, { enabled: Choice; enabledLi: Choice; preferences: Preferences }>;

interface Folded {
  channels: Channels;
  purposes: Purposes;
  vendors: Record<'enabled' | 'enabled_li' | 'disabled' | 'disabled_li', Set<string>>;
  tcfcs: string | null;
}

function foldConsents(history: readonly WireConsents[]): Folded {
  const folded: Folded = {
    channels: new Map(),
    purposes: new Map(),
    vendors: { enabled: new Set(), enabled_li: new Set(), disabled: new Set(), disabled_li: new Set() },
    tcfcs: null,
  };
  for (const consents of history) {
    foldChannels(folded.channels, consents.channels);
    foldPurposes(folded.purposes, consents.purposes);
    for (const [list, opposite] of opposites) {
      for (const vendor of consents.vendors?.[list] ?? []) {
        folded.vendors[list].add(vendor);
        folded.vendors[opposite].delete(vendor);
      }
    }
    folded.tcfcs = consents.tcfcs ?? folded.tcfcs;
  }
  return folded;
}

const opposites = [
  ['enabled', 'disabled'],
  ['disabled', 'enabled'],
  ['enabled_li', 'disabled_li'],
  ['disabled_li', 'enabled_li'],
] as const;

function foldChannels(into: Channels, channels: readonly WireChannel[] | null | undefined): void {
  for (const { id, enabled } of channels ?? []) into.set(id, enabled ?? into.get(id) ?? null);
}

function foldPreferences(into: Preferences, preferences: readonly WirePreference[] | null | undefined): void {
  for (const { id, enabled, channels } of preferences ?? []) {
    const known = into.get(id) ?? { enabled: null, channels: new Map() };
    known.enabled = enabled ?? known.enabled;
    foldChannels(known.channels, channels);
    into.set(id, known);
  }
}

function foldPurposes(into: Purposes, purposes: readonly WirePurpose[] | null | undefined): void {
  for (const purpose of purposes ?? []) {
    const known = into.get(purpose.id) ?? { enabled: null, enabledLi: null, preferences: new Map() };
    known.enabled = purpose.enabled ?? known.enabled;
    known.enabledLi = purpose.enabled_li ?? known.enabledLi;
    foldPreferences(known.preferences, purpose.preferences);
    into.set(purpose.id, known);
  }
}

function consentsDocument({ channels, purposes, vendors, tcfcs }: Folded): Value {
  const channelList = (map: Channels) => [...map].map(([id, enabled]) => ({ id, enabled }));
  return {
    channels: channelList(channels),
    purposes: [...purposes].map(([id, { enabled, enabledLi, preferences }]) => ({
      id,
      enabled,
      enabled_li: enabledLi,
      preferences: [...preferences].map(([name, p]) => ({
        id: name,
        enabled: p.enabled,
        channels: channelList(p.channels),
      })),
    })),
    vendors: {
      enabled: [...vendors.enabled],
      enabled_li: [...vendors.enabled_li],
      disabled: [...vendors.disabled],
      disabled_li: [...vendors.disabled_li],
    },
    tcfcs,
  };
}
