export { ConsentReadStore, type DocumentPage, type EventFilter, type EventPlace } from './consent-read.store';
export { ensureRevisionPartitions } from './ensure-revision-partitions';
export { recordEvents, type EventToRecord, type RecordedEvents } from './record-events';

import { Consent1700000020000 } from './migrations/1700000020000-consent';
import { PendingEvents1700000020100 } from './migrations/1700000020100-pending-events';

export const entities: never[] = [];
export const migrations = [Consent1700000020000, PendingEvents1700000020100];
