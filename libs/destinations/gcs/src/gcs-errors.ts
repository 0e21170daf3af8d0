import {
  abortedError,
  DestinationError,
  failureOf,
  networkFault,
  type DestinationErrorCode,
} from '@delivery/destinations/driver';

/** What the driver asks of Cloud Storage, and the permission that it takes. */
const PERMISSIONS = {
  begin_upload: 'storage.objects.create',
  upload: 'storage.objects.create',
  cancel_upload: 'storage.objects.create',
  delete: 'storage.objects.delete',
  list: 'storage.objects.list',
  read: 'storage.objects.get',
  sign_in: 'a token',
} as const;

export type GcsOperation = keyof typeof PERMISSIONS;

export interface GcsErrorContext {
  operation: GcsOperation;
  bucket: string;
  /** The service account, as its owner knows it. */
  principal: string;
  endpoint: string;
}

/** Reasons of the JSON API: cloud.google.com/storage/docs/json_api/v1/status-codes */
const REASONS: Readonly<Record<string, DestinationErrorCode>> = {
  rateLimitExceeded: 'throttled',
  userRateLimitExceeded: 'throttled',
  userProjectAccountProblem: 'quota_exceeded',
  accountDisabled: 'quota_exceeded',
  billingNotEnabled: 'quota_exceeded',
  quotaExceeded: 'quota_exceeded',
  retentionPolicyNotMet: 'object_locked',
  objectUnderActiveHold: 'object_locked',
  uploadTooLarge: 'object_too_large',
};

/** A refusal by Cloud Storage. */
export interface GcsAnswer {
  status: number;
  /** The JSON API's `error.errors[0].reason`, empty if the answer is not JSON. */
  reason: string;
  message: string;
}

/** Reads the body of a refusal, which is JSON, or a line of text from the front end. */
export function readRefusal(status: number, body: string): GcsAnswer {
  try {
    const { error }: { error?: { message?: unknown; errors?: { reason?: unknown }[] } } = JSON.parse(body);
    const reason = error?.errors?.[0]?.reason;
    return { status, reason: typeof reason === 'string' ? reason : '', message: String(error?.message ?? '') };
  } catch {
    return { status, reason: '', message: body.trim().slice(0, 200) };
  }
}

/** @param answer a status that the caller did not expect */
export function refusalError(answer: GcsAnswer, context: GcsErrorContext): DestinationError {
  const code = refusalCode(answer, context.operation);
  const detail = `HTTP ${answer.status}${answer.message === '' ? '' : `: ${answer.message}`}`;
  return new DestinationError(code, sentence(code, context, detail), { cause: detail });
}

function refusalCode({ status, reason, message }: GcsAnswer, operation: GcsOperation): DestinationErrorCode {
  if (Object.hasOwn(REASONS, reason)) return REASONS[reason] ?? 'rejected';
  if (/cloudkms|\bKMS\b/i.test(message) && status < 500) return 'kms_denied';
  if (status === 404 || status === 410) return isSession(operation) ? 'upload_lost' : 'bucket_not_found';
  if (status === 499 && isSession(operation)) return 'upload_lost';
  if (status === 400 && /crc32c|md5|hash/i.test(message)) return 'checksum_mismatch';
  if (status === 401) return 'credentials_invalid';
  if (status === 403) return 'access_denied';
  if (status === 408) return 'timeout';
  if (status === 413) return 'object_too_large';
  if (status === 429) return 'throttled';
  if (status >= 500) return 'unavailable';
  // A success that is none of those which the store has: what answered is not the store.
  return status < 300 ? 'connection_lost' : 'rejected';
}

/** An answer that claims success and does not say what the store would. */
export class UnreadableAnswer extends Error {}

function isSession(operation: GcsOperation): boolean {
  return operation === 'upload' || operation === 'cancel_upload';
}

/** Maps what a request was rejected with before there was an answer, or while one was being read. */
export function mapGcsError(error: unknown, context: GcsErrorContext): DestinationError {
  if (error instanceof DestinationError) return error;
  const { name, message, code } = failureOf(error);
  if (name === 'AbortError') return abortedError();
  const fault = networkFault(code) ?? (error instanceof UnreadableAnswer ? 'connection_lost' : 'rejected');
  return new DestinationError(fault, sentence(fault, context, message), { cause: error });
}

/** Maps a failed exchange of the key's signature for a token at Google's own token endpoint. */
export function mapSignInError(error: unknown, context: GcsErrorContext): DestinationError {
  if (error instanceof DestinationError) return error;
  const { message, code } = failureOf(error);
  const { status, text } = tokenAnswerOf(error);
  const detail = `${message} ${text}`;
  let fault = networkFault(code);
  if (status !== undefined && status >= 500) fault = 'unavailable';
  else if (status === 429) fault = 'throttled';
  else if (/reasonable timeframe|\biat\b|\bexp\b/.test(detail)) fault = 'clock_skew';
  else if (
    /invalid_grant|invalid_client|unauthorized|Invalid JWT|account not found/i.test(detail) ||
    status !== undefined
  ) {
    fault = 'credentials_invalid';
  }
  return new DestinationError(fault ?? 'unavailable', sentence(fault ?? 'unavailable', context, message), {
    cause: error,
  });
}

/** What the auth library keeps of the token endpoint's answer. */
function tokenAnswerOf(error: unknown): { status: number | undefined; text: string } {
  const response = typeof error === 'object' && error !== null && 'response' in error ? error.response : undefined;
  if (typeof response !== 'object' || response === null) return { status: undefined, text: '' };
  const status = 'status' in response && typeof response.status === 'number' ? response.status : undefined;
  return { status, text: 'data' in response ? JSON.stringify(response.data ?? '') : '' };
}

function sentence(code: DestinationErrorCode, context: GcsErrorContext, detail: string): string {
  const { bucket, operation, principal, endpoint } = context;
  switch (code) {
    case 'bucket_not_found':
      return `Bucket "${bucket}" does not exist. Create it, or change properties.bucket_name of the integration.`;
    case 'access_denied':
      return `Bucket "${bucket}" denied ${PERMISSIONS[operation]} to ${principal}. Grant the service account "Storage Object Admin" on the bucket.`;
    case 'credentials_invalid':
      return `Google does not accept the key of ${principal}. The account or key was deleted or disabled: create a new key and change json_key.`;
    case 'clock_skew':
      return "The clock of the platform differs from Google's. Set the host's clock (NTP), then retry the run.";
    case 'kms_denied':
      return `The encryption key of bucket "${bucket}" cannot be used. Enable it, and grant the project's Cloud Storage service agent "Cloud KMS CryptoKey Encrypter/Decrypter" on it.`;
    case 'quota_exceeded':
      return `The project of bucket "${bucket}" is out of quota or has no billing (${detail}). Enable billing or raise the quota.`;
    case 'object_locked':
      return `An object of bucket "${bucket}" may not be replaced or removed (${detail}). Take the retention policy or hold off the export's bucket.`;
    case 'throttled':
      return `Bucket "${bucket}" is being throttled. The delivery is tried again later.`;
    case 'timeout':
      return `${endpoint} did not answer for bucket "${bucket}" in time. The delivery is tried again later.`;
    case 'connection_lost':
      return `The connection to ${endpoint} was lost while bucket "${bucket}" was written (${detail}). The delivery is tried again later.`;
    case 'unavailable':
      return `${endpoint} could not serve bucket "${bucket}" (${detail}). The delivery is tried again later.`;
    case 'checksum_mismatch':
      return `What arrived in bucket "${bucket}" is not what was sent (${detail}). The delivery is tried again later.`;
    case 'upload_lost':
      return `The unfinished upload in bucket "${bucket}" is gone: another attempt cancelled it, or it expired.`;
    default:
      return `Bucket "${bucket}" refused the request (${detail}).`;
  }
}
