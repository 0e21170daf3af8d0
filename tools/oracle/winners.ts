import { isDeepStrictEqual } from 'node:util';
import { type DeliveredRun, isInside } from './delivery';
import { type Expected, expectedEvent } from './expected-documents';
import { eventsTopic, type Ledger, type Place } from './ledger';
import type { WireEvent } from './wire-event';

/** Name of what the oracle compares: its id, or what it was marked with when the platform was to give the id. */
export const marker = 'oracle_marker';

export function nameOf(event: { id?: unknown; metadata?: unknown }): string {
  const { metadata } = event;
  if (typeof metadata === 'object' && metadata !== null && marker in metadata)
    return `marker ${String(metadata[marker])}`;
  return String(event.id);
}

/** An event seen in a delivery. */
export interface Occurrence {
  run: DeliveredRun;
  document: Record<string, unknown>;
}

/**
 * Of all messages with one id, the one that counts. Within a partition the first wins; across partitions whichever was
 * recorded first, which only the delivery can tell.
 */
export function pickWinners(
  ledger: Ledger,
  organizationId: string,
  seen: ReadonlyMap<string, readonly Occurrence[]>,
): Map<string, Expected> {
  const candidates = new Map<string, Expected[]>();
  for (const { event, via, places } of ledger.produced) {
    if (event?.organization_id !== organizationId) continue;
    const name = nameOf(event);
    const known = candidates.get(name) ?? [];
    candidates.set(name, known.concat(places.map((place) => ({ event, via, place }))));
  }
  return new Map(
    [...candidates].flatMap(([name, all]) => {
      const winner = pickWinner(firstPerPartition(all), seen.get(name) ?? []);
      return winner === undefined ? [] : [[name, winner] as const];
    }),
  );
}

function firstPerPartition(candidates: readonly Expected[]): Expected[] {
  const first = new Map<number, Expected>();
  for (const candidate of candidates) {
    const known = first.get(candidate.place.partition);
    if (known === undefined || isEarlier(candidate.place, known.place)) first.set(candidate.place.partition, candidate);
  }
  return [...first.values()].sort((a, b) => a.place.arrivedAt - b.place.arrivedAt);
}

function isEarlier(a: Place, b: Place): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.offset < b.offset);
}

function pickWinner(candidates: readonly Expected[], seen: readonly Occurrence[]): Expected | undefined {
  const same = candidates.filter((each) =>
    seen.some(({ document }) => differences(expectedEvent(each), document).length === 0),
  );
  return (
    same.find(({ place }) => seen.some(({ run }) => isInside(place, run, eventsTopic))) ?? same[0] ?? candidates[0]
  );
}

/** Where a document differs from what is expected, a place each; fields it has beside the expected are its own business. */
export function differences(expected: Record<string, unknown>, actual: Record<string, unknown>): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    // The platform adds what it knows of an event's user; nothing is added to what customers define themselves.
    if (name === 'user' && isObject(value) && isObject(actual[name])) {
      return differences(value, actual[name]).map((place) => `user.${place}`);
    }
    return firstDifference(value, actual[name], name) ?? [];
  });
}

function firstDifference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(expected, actual)) return undefined;
  // A purpose without preferences may say so or leave the list out.
  if (path.endsWith('.preferences') && isDeepStrictEqual(expected, []) && actual === undefined) return undefined;
  if (isObject(expected) && isObject(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    for (const name of names) {
      const inner = firstDifference(expected[name], actual[name], `${path}.${name}`);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  return `${path} is ${brief(actual)} instead of ${brief(expected)}`;
}

function brief(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 60);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Name of a user: his id where a producer gave one, else the customer's, else the event that made him. */
export function userName(event: WireEvent, name: string): string {
  if (event.user?.id) return `user ${event.user.id}`;
  if (event.user?.organization_user_id) return `customer ${event.user.organization_user_id}`;
  return `event ${name}`;
}
