export { recordEvents, type EventToRecord, type RecordedEvents } from './record-events';

import { Consent1700000020000 } from './migrations/1700000020000-consent';

export const entities: never[] = [];
export const migrations = [Consent1700000020000];
