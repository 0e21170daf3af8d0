/**
 * Why a destination refused or failed. The value is stored with the run and shown to the bucket's owner, so a code is
 * never renamed; `true` means that the same work, done again later and unchanged, may succeed.
 */
const RETRYABLE_BY_CODE = {
  /** A permission is missing. */
  access_denied: false,
  bucket_not_found: false,
  /** The key, secret or token is unknown, disabled, expired or malformed. */
  credentials_invalid: false,
  role_not_assumable: false,
  /** The bucket's encryption key is disabled, gone or not usable by the principal. */
  kms_denied: false,
  /** The clocks of this machine and of the store differ by more than the store accepts. */
  clock_skew: false,
  /** A retention policy or hold keeps an object from being replaced or removed. */
  object_locked: false,
  /** The store has no room, or billing is off. */
  quota_exceeded: false,
  object_too_large: false,
  invalid_key: false,
  invalid_configuration: false,
  /** A bucket name that belongs to someone else (names are global). */
  name_taken: false,
  /** The cloud does not know an account or role named in a trust policy. */
  principal_invalid: false,
  /** A refusal that none of the other codes describes. */
  rejected: false,
  /** The caller's signal was aborted, or the driver was closed. */
  aborted: false,
  throttled: true,
  unavailable: true,
  timeout: true,
  connection_lost: true,
  /** What arrived is not what was sent. Nothing of it stays visible. */
  checksum_mismatch: true,
  /** The unfinished upload no longer exists: it expired, or another attempt swept it. */
  upload_lost: true,
} as const;

export type DestinationErrorCode = keyof typeof RETRYABLE_BY_CODE;

/** All codes, for schemas and documentation. */
export const DESTINATION_ERROR_CODES: readonly DestinationErrorCode[] = Object.freeze(
  Object.keys(RETRYABLE_BY_CODE).filter(isDestinationErrorCode),
);

function isDestinationErrorCode(value: string): value is DestinationErrorCode {
  return value in RETRYABLE_BY_CODE;
}

/**
 * The only error that leaves a destination driver, reader or provisioner.
 *
 * `message` is a sentence for the bucket's owner: it names the bucket, principal or permission and what to change, and
 * never holds a secret. `cause` is a copy of the SDK's error reduced to name, message and stack, because SDK errors
 * carry requests with their Authorization headers.
 */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';
  /** Whether the same work may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(
    readonly code: DestinationErrorCode,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: withoutRequest(options.cause) });
    this.retryable = RETRYABLE_BY_CODE[code];
  }
}

/** What can be read from anything that was thrown. */
export interface Failure {
  name: string;
  message: string;
  /** Such as `ECONNRESET`; empty if there is none. */
  code: string;
  stack: string | undefined;
}

/** Reads a thrown value by its fields, never by `instanceof`: errors cross realms and come from several SDK copies. */
export function failureOf(thrown: unknown): Failure {
  const fields: { name?: unknown; message?: unknown; code?: unknown; stack?: unknown } =
    typeof thrown === 'object' && thrown !== null ? thrown : { message: thrown };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    name: text(fields.name) || 'Error',
    message: text(fields.message) || 'unknown failure',
    code: text(fields.code),
    stack: text(fields.stack) || undefined,
  };
}

function withoutRequest(cause: unknown): Error {
  if (cause instanceof DestinationError) return cause;
  const { name, message, stack } = failureOf(cause);
  const copy = new Error(message);
  copy.name = name;
  if (stack !== undefined) copy.stack = stack;
  return copy;
}

/** The error for work that stopped because its caller asked for it. */
export function abortedError(signal?: AbortSignal): DestinationError {
  return new DestinationError('aborted', 'The delivery was stopped before it was complete.', { cause: signal?.reason });
}

/** Throws {@link abortedError} when the signal is aborted already. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError(signal);
}
