import type { IngestPosition } from '@delivery/ingest/store';
import type { Readiness } from '../plan/log-readiness';
import type { ContentSource } from './content-source';

const HOUR_MS = 3_600_000;

/**
 * Consumer and topic of the position up to which hours are closed. Analytics gives it this name (a test compares), and Kafka
 * has no such topic: offsets of its one partition are whole hours since 1970.
 */
export const HOURS = 'analytics.hours';

/** Hours of analytics, which are final once they are closed. */
export const closedHours: ContentSource = {
  consumer: HOURS,
  readinessAt: async (_log, time) => (positions) => hoursReadiness(positions, hourOf(time)),
  lackOf: (_at, { offset }) => `the hours up to ${words(offset)} are not complete in it`,
};

function hoursReadiness(positions: readonly IngestPosition[], wanted: bigint): Readiness {
  const closed = positions.find(({ topic }) => topic === HOURS)?.nextOffset;
  if (closed !== undefined && closed >= wanted) return { waitingFor: undefined, completeUntil: startOf(wanted) };
  return {
    waitingFor: `the hours up to ${words(wanted)} are not complete yet`,
    completeUntil: closed === undefined ? undefined : startOf(closed),
  };
}

/** The hour that a time lies in; all before it are over then. */
function hourOf(time: Date): bigint {
  return BigInt(Math.floor(time.getTime() / HOUR_MS));
}

function startOf(hour: bigint): Date {
  return new Date(Number(hour) * HOUR_MS);
}

/** `2026-11-23T10:00Z` */
function words(hour: bigint): string {
  return `${startOf(hour).toISOString().slice(0, 16)}Z`;
}
