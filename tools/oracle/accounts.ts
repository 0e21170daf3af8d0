import { isBefore, type Positions } from './delivery';
import { eventsTopic, type Ledger } from './ledger';
import { nameOf } from './winners';

/** In which counter the messages of a log ended. */
export interface Counts {
  recorded: number;
  duplicates: number;
  rejected: number;
  suppressed: number;
  control: number;
}

/**
 * In which counter every message before the positions must have ended, by what was produced: the first of each id is
 * recorded, each further one a duplicate, poison rejected.
 * @param passed offsets before the positions: those that no message stands at are the log's own (control)
 */
export function expectedCounts(ledger: Ledger, positions: Positions, passed: number): Counts {
  const ids = new Set<string>();
  let events = 0;
  let rejected = 0;
  for (const { event, places } of ledger.produced) {
    const before = places.filter((place) => isBefore(place, positions, eventsTopic)).length;
    if (before === 0) continue;
    if (event === undefined) rejected += before;
    else {
      events += before;
      ids.add(`${event.organization_id} ${nameOf(event)}`);
    }
  }
  return {
    recorded: ids.size,
    duplicates: events - ids.size,
    rejected,
    suppressed: 0,
    control: passed - events - rejected,
  };
}
