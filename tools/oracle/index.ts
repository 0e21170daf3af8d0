export { type Counts, expectedCounts } from './accounts';
export {
  type DeliveredLine,
  type DeliveredRun,
  type Delivery,
  type FoundObject,
  isBefore,
  isInside,
  type ObjectSource,
  partialFiles,
  type Positions,
  readDelivery,
} from './delivery';
export { type Fault, type FaultKind, faultKinds, judge, type JudgedExport, type Verdict } from './judge';
export { eventsTopic, Ledger, type LoggedMessage, numberHeader, type Place, type Produced } from './ledger';
export {
  type Broker,
  type HourCounts,
  interactionSettings,
  interactionsOf,
  interactionsTopic,
  publishInteractions,
  recount,
  type Recount,
  type Rows,
} from './interactions';
export { logEnds, readLog } from './read-log';
export { fileSource, gcsSource, type S3Access, s3Source } from './sources';
export { marker } from './winners';
export type { WireEvent } from './wire-event';
export { keyOf, OracleProducer, type Outgoing, type Poison, type ProducerTarget } from './producer';
export { poisonFor } from './poison';
export { workload, type WorkloadOptions } from './workload';
