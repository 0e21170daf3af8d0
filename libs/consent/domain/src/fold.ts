import type {
  ChannelChoice,
  Choice,
  ConsentEvent,
  Consents,
  PreferenceChoice,
  PurposeChoice,
  VendorChoices,
} from './event';
import type { ConsentUserState } from './user-state';

/**
 * Applies one confirmed event to the state its predecessors folded into. Pure; events must come in the order of
 * `compareOrderKeys`. An event changes only what it speaks of: choices merge by id, a choice of `null` is none; the
 * user's metadata, when given, replaces what was there; delegate and validation are those of the newest event.
 */
export function applyEvent(state: ConsentUserState | undefined, event: ConsentEvent): ConsentUserState {
  if (state === undefined) return firstState(event);
  return {
    organizationId: state.organizationId,
    id: state.id,
    organizationUserId: event.organizationUserId ?? state.organizationUserId,
    organizationUserIdType: event.organizationUserIdType ?? state.organizationUserIdType,
    version: state.version,
    createdAt: state.createdAt,
    updatedAt: event.effectiveAt,
    country: event.country ?? state.country,
    lastSeenCountry: event.lastSeenCountry ?? state.lastSeenCountry,
    metadata: event.userMetadata ?? state.metadata,
    consents: mergeConsents(state.consents, event.consents),
    delegate: event.delegate,
    validation: event.validation,
  };
}

/** Folds events that are already in order. */
export function foldEvents(events: Iterable<ConsentEvent>, base?: ConsentUserState): ConsentUserState | undefined {
  let state = base;
  for (const event of events) state = applyEvent(state, event);
  return state;
}

function firstState(event: ConsentEvent): ConsentUserState {
  return {
    organizationId: event.organizationId,
    id: event.userId,
    organizationUserId: event.organizationUserId,
    organizationUserIdType: event.organizationUserIdType,
    version: 0,
    createdAt: event.effectiveAt,
    updatedAt: event.effectiveAt,
    country: event.country,
    lastSeenCountry: event.lastSeenCountry,
    metadata: event.userMetadata ?? {},
    consents: mergeConsents(nothing, event.consents),
    delegate: event.delegate,
    validation: event.validation,
  };
}

const nothing: Consents = {
  channels: [],
  purposes: [],
  vendors: { enabled: [], enabled_li: [], disabled: [], disabled_li: [] },
  tcfcs: null,
};

function mergeConsents(base: Consents, given: Consents): Consents {
  return {
    channels: mergeById(base.channels, given.channels, mergeChannel),
    purposes: mergeById(base.purposes, given.purposes, mergePurpose),
    vendors: mergeVendors(base.vendors, given.vendors),
    tcfcs: given.tcfcs ?? base.tcfcs,
  };
}

/**
 * First mention keeps its place; a later mention of an id, also within one event, merges into it. What stays as it was
 * is shared with the state before: most events say again what is known.
 */
function mergeById<T extends { id: string }>(
  base: readonly T[],
  given: readonly T[],
  merge: (known: T | undefined, given: T) => T,
): readonly T[] {
  let merged: T[] | undefined;
  let places: Map<string, number> | undefined;
  for (const [i, item] of given.entries()) {
    // Most events name the same ids in the same order: no map is needed for them.
    let place: number | undefined = base[i]?.id === item.id ? i : undefined;
    if (place === undefined) {
      places ??= new Map((merged ?? base).map(({ id }, at) => [id, at]));
      place = places.get(item.id);
    }
    const known = place === undefined ? undefined : (merged ?? base)[place];
    const next = merge(known, item);
    if (next === known) continue;
    merged ??= base.slice();
    if (place === undefined) places?.set(item.id, merged.push(next) - 1);
    else merged[place] = next;
  }
  return merged ?? base;
}

/** A choice of `null` is none. */
function newer(base: Choice, given: Choice): Choice {
  return given ?? base;
}

function mergeChannel(base: ChannelChoice | undefined, given: ChannelChoice): ChannelChoice {
  if (base === undefined) return given;
  const enabled = newer(base.enabled, given.enabled);
  return enabled === base.enabled ? base : { id: base.id, enabled };
}

function mergePreference(base: PreferenceChoice | undefined, given: PreferenceChoice): PreferenceChoice {
  const enabled = newer(base?.enabled ?? null, given.enabled);
  const channels = mergeById(base?.channels ?? [], given.channels, mergeChannel);
  return enabled === base?.enabled && channels === base.channels ? base : { id: given.id, enabled, channels };
}

function mergePurpose(base: PurposeChoice | undefined, given: PurposeChoice): PurposeChoice {
  if (base === undefined && !given.preferences) return given;
  const enabled = newer(base?.enabled ?? null, given.enabled);
  const enabled_li = newer(base?.enabled_li ?? null, given.enabled_li);
  const preferences = given.preferences
    ? mergeById(base?.preferences ?? [], given.preferences, mergePreference)
    : base?.preferences;
  if (enabled === base?.enabled && enabled_li === base.enabled_li && preferences === base.preferences) return base;
  // Spelt out, not spread: objects made by a spread are slow to write as JSON.
  return preferences ? { id: given.id, enabled, enabled_li, preferences } : { id: given.id, enabled, enabled_li };
}

function mergeVendors(base: VendorChoices, given: VendorChoices): VendorChoices {
  return {
    enabled: moveInto(base.enabled, given.enabled, given.disabled),
    enabled_li: moveInto(base.enabled_li, given.enabled_li, given.disabled_li),
    disabled: moveInto(base.disabled, given.disabled, given.enabled),
    disabled_li: moveInto(base.disabled_li, given.disabled_li, given.enabled_li),
  };
}

/** Below so many ids, looking through lists is twice as fast as building sets. */
const fewIds = 128;

/** What was in the list and was not moved out, then what is new in it. */
function moveInto(base: readonly string[], added: readonly string[], removed: readonly string[]): readonly string[] {
  if (added.length === 0 && (removed.length === 0 || base.length === 0)) return base;
  if (base.length + added.length + removed.length > fewIds) return moveManyInto(base, added, removed);
  const list = base.filter((id) => !removed.includes(id));
  for (const id of added) if (!list.includes(id)) list.push(id);
  return list;
}

function moveManyInto(base: readonly string[], added: readonly string[], removed: readonly string[]): string[] {
  const list = new Set(base);
  for (const id of removed) list.delete(id);
  for (const id of added) list.add(id);
  return [...list];
}
