export { IngestError, ingestErrorCodes } from './errors';
export type { Counters, IngestPosition } from './position';
export { PositionStore, type Advance } from './position.store';
export { RejectionStore, type Rejection, type RejectionReason } from './rejection.store';

import { Ingest1700000010000 } from './migrations/1700000010000-ingest';

export const entities: never[] = [];
export const migrations = [Ingest1700000010000];
