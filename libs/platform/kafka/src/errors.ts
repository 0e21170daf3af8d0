export const kafkaErrorCodes = [
  /** No broker, no leader, no answer in time. */
  'broker_unavailable',
  /** More is waiting to be published than this process may hold. */
  'overloaded',
  'unknown_topic',
  'message_too_large',
  'not_authorized',
  /** Asked after `close`. */
  'closed',
  'failed',
] as const;
export type KafkaErrorCode = (typeof kafkaErrorCodes)[number];

/** Kafka failed or refused. */
export class KafkaError extends Error {
  /** The same call may succeed later. */
  readonly retryable: boolean;

  constructor(
    readonly code: KafkaErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'KafkaError';
    this.retryable = code === 'broker_unavailable' || code === 'overloaded';
  }
}

const unreachable = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
]);

/** Maps what kafkajs threw. Its wrappers (`NumberOfRetriesExceeded`, `NonRetriable`) hide the cause that tells. */
export function mapKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  const causes = causesOf(error);
  const code = causes.map(codeOf).find((found) => found !== undefined) ?? 'failed';
  const told = causes.at(-1)?.message ?? String(error);
  const advice = adviceOn(code, told);
  return new KafkaError(code, `Kafka: ${told}${advice === undefined ? '' : `; ${advice}`}`, { cause: error });
}

/** What to look at when it is the set-up that is wrong. */
function adviceOn(code: KafkaErrorCode, told: string): string | undefined {
  if (/secure TLS|wrong version number|certificate|CERT_/i.test(told)) return 'check KAFKA_SSL and KAFKA_SSL_CA';
  if (code === 'unknown_topic') return 'a topic is missing: npm run topics';
  if (/SASL/.test(told)) return 'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD';
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Connection timeout/.test(told)) {
    return 'check that the brokers run, and KAFKA_BROKERS';
  }
  return undefined;
}

interface KafkajsError {
  readonly name: string;
  readonly message: string;
  readonly type: string;
  readonly retriable: boolean;
}

function causesOf(error: unknown, depth = 0): KafkajsError[] {
  if (typeof error !== 'object' || error === null || depth > 8) return [];
  const { name, message, type, retriable, cause, errors } = { ...fieldsOf(error) };
  const own = { name: String(name), message: String(message), type: String(type ?? ''), retriable: retriable === true };
  const inner = Array.isArray(errors) ? errors[0] : cause;
  return [own, ...(inner === error ? [] : causesOf(inner, depth + 1))];
}

function fieldsOf(error: object): Record<string, unknown> {
  const names = ['name', 'message', 'type', 'retriable', 'cause', 'errors'];
  return Object.fromEntries(names.map((name) => [name, Reflect.get(error, name)]));
}

function codeOf({ name, type, retriable }: KafkajsError): KafkaErrorCode | undefined {
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION') return 'unknown_topic';
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return 'message_too_large';
  if (type.endsWith('AUTHORIZATION_FAILED') || type.includes('SASL') || name === 'KafkaJSSASLAuthenticationError') {
    return 'not_authorized';
  }
  if (unreachable.has(name) || (type !== '' && retriable)) return 'broker_unavailable';
  return undefined;
}

/** The broker's own name for what went wrong (`TOPIC_ALREADY_EXISTS`), wherever in the chain of causes it is. */
export function protocolType(error: unknown): string | undefined {
  return causesOf(error).find(({ type }) => type !== '')?.type;
}

/** Whether the broker no longer knows where an idempotent producer is: only a new producer helps. */
export function isLostSequence(error: unknown): boolean {
  const types = ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'];
  return causesOf(error).some(({ type }) => types.includes(type) || type === 'DUPLICATE_SEQUENCE_NUMBER');
}

/**
 * Rejects with `broker_unavailable` when `work` takes longer: kafkajs has no total bound of its own. What `work` does
 * afterwards is nobody's business.
 */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new KafkaError('broker_unavailable', `Kafka: ${what} took longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
