export { IngestError, ingestErrorCodes } from './errors';
export type { Counters, IngestPosition } from './position';
export { PositionStore, type Advance } from './position.store';
export { type Border, comparePlaces, limitOf, type LogPlace, nextBorder, type Rewind } from './rewind';
export { RewindStore } from './rewind.store';
export { RejectionStore, type Rejection, type RejectionBacklog, type RejectionReason } from './rejection.store';

import { Ingest1700000010000 } from './migrations/1700000010000-ingest';
import { Rewinds1700000010100 } from './migrations/1700000010100-rewinds';
import { RejectionBacklog1700000010200 } from './migrations/1700000010200-rejection-backlog';

export const entities: never[] = [];
export const migrations = [Ingest1700000010000, Rewinds1700000010100, RejectionBacklog1700000010200];
