import { counterSpec, gaugeSpec, histogramSpec, type MetricSpec } from './metric-specs';

export const requestSeconds = histogramSpec('http_request_duration_seconds', 'Time from request to answer.', [
  'method',
  'route',
  'status',
]);
export const malformedRequests = counterSpec(
  'http_requests_malformed_total',
  'Requests refused before any route was looked for: they are in no other metric.',
  ['status'],
);
export const databaseConnections = gaugeSpec(
  'database_connections',
  "Connections of this process's pool: busy, idle, and callers waiting for one.",
  ['state'],
);
export const databaseConnectionLimit = gaugeSpec('database_connections_limit', 'DATABASE_POOL_SIZE.');
export const transactionRetries = counterSpec(
  'database_transaction_retries_total',
  'Transactions tried again after a deadlock or a serialization failure.',
);
export const publishSeconds = histogramSpec(
  'kafka_publish_seconds',
  'Time from a publish to its acknowledgement or failure, by call.',
  ['topic', 'outcome'],
);

/** What every service has. */
export const baseMetrics: readonly MetricSpec[] = [requestSeconds, malformedRequests];
/** Beside these, of a service with `provideDatabase`. */
export const databaseMetrics: readonly MetricSpec[] = [
  databaseConnections,
  databaseConnectionLimit,
  transactionRetries,
];
/** Beside these, of a service with `provideKafka`. */
export const kafkaMetrics: readonly MetricSpec[] = [publishSeconds];
