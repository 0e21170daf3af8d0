import { v7 } from 'uuid';

/** A new run's id: a UUIDv7, so that ids sort by the time they were made. */
export function newRunId(): string {
  return v7();
}
