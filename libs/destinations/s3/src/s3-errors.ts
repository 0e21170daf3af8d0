import {
  abortedError,
  awsFault,
  DestinationError,
  failureOf,
  networkFault,
  type DestinationErrorCode,
} from '@delivery/destinations/driver';

/** What the driver asks of S3 and STS, and the permission that it takes. */
const PERMISSIONS = {
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  DeleteObject: 's3:DeleteObject',
  HeadObject: 's3:GetObject',
  GetObject: 's3:GetObject',
  ListObjectsV2: 's3:ListBucket',
  AssumeRole: 'sts:AssumeRole',
} as const;

export type S3Operation = keyof typeof PERMISSIONS;

export interface S3ErrorContext {
  operation: S3Operation;
  bucket: string;
  region: string;
  principal: string;
  endpoint: string;
}

/** Names that only S3 and our own comparisons use, or that mean something else in S3 than elsewhere. */
const S3_CODES: Readonly<Record<string, DestinationErrorCode>> = {
  NoSuchBucket: 'bucket_not_found',
  NoSuchUpload: 'upload_lost',
  ChecksumMismatch: 'checksum_mismatch',
  NoETag: 'connection_lost',
  BadDigest: 'checksum_mismatch',
  InvalidDigest: 'checksum_mismatch',
  XAmzContentSHA256Mismatch: 'checksum_mismatch',
  XAmzContentChecksumMismatch: 'checksum_mismatch',
  IncompleteBody: 'connection_lost',
  // Parts that the store no longer has as they were sent: only a new upload mends it.
  InvalidPart: 'upload_lost',
  InvalidPartOrder: 'upload_lost',
  PermanentRedirect: 'invalid_configuration',
  TemporaryRedirect: 'unavailable',
  AuthorizationHeaderMalformed: 'invalid_configuration',
  IllegalLocationConstraintException: 'invalid_configuration',
  InvalidBucketName: 'invalid_configuration',
  EntityTooLarge: 'object_too_large',
  KeyTooLongError: 'invalid_key',
  ObjectLocked: 'object_locked',
  QuotaExceeded: 'quota_exceeded',
  XMinioStorageFull: 'quota_exceeded',
};

/** Maps whatever an SDK call rejected with. The sentence is for the bucket's owner. */
export function mapS3Error(error: unknown, context: S3ErrorContext): DestinationError {
  if (error instanceof DestinationError) return error;
  const { name, message, code } = failureOf(error);
  if (name === 'AbortError') return abortedError();
  const status = statusOf(error);
  const fault = faultOf({ name, message, code, status }, context.operation);
  return new DestinationError(fault, sentence(fault, { ...context, name, message, status }), { cause: error });
}

interface S3Failure {
  name: string;
  message: string;
  code: string;
  status: number | undefined;
}

function faultOf({ name, message, code, status }: S3Failure, operation: S3Operation): DestinationErrorCode {
  // A denied key is reported as AccessDenied of S3, with the KMS action only in the text.
  if (/\bkms:|\bKMS\b/.test(message) && status !== undefined && status < 500) return 'kms_denied';
  const network = networkFault(code);
  if (network !== undefined) return network;
  if (operation === 'AssumeRole' && name.startsWith('AccessDenied')) return 'role_not_assumable';
  if (Object.hasOwn(S3_CODES, name)) return S3_CODES[name] ?? 'rejected';
  if (status === 301) return 'invalid_configuration';
  if (status === 404 && operation !== 'AssumeRole') return 'bucket_not_found';
  const shared = awsFault(name, status);
  if (shared !== undefined) return shared;
  // The store accepted, but what it said cannot be read: cut short, or not from a store at all.
  if (status === undefined || status < 300) return 'connection_lost';
  return 'rejected';
}

function sentence(fault: DestinationErrorCode, context: S3ErrorContext & Omit<S3Failure, 'code'>): string {
  const { bucket, operation, principal, endpoint, name, message, region } = context;
  switch (fault) {
    case 'bucket_not_found':
      return `Bucket "${bucket}" does not exist. Create it, or change the bucket name of the integration.`;
    case 'access_denied':
      return `Bucket "${bucket}" denied ${PERMISSIONS[operation]} to ${principal}. Allow it in the principal's policy, and look for a Deny in the bucket's policy.`;
    case 'role_not_assumable':
      return `${capitalized(principal)} cannot be assumed. Let its trust policy name the platform's account and this organization's external id.`;
    case 'kms_denied':
      return `The encryption key of bucket "${bucket}" cannot be used by ${principal}. Enable the key, and allow kms:GenerateDataKey and kms:Decrypt on it.`;
    case 'credentials_invalid':
      return `AWS does not accept the credentials of ${principal} (${name}). Give the destination a valid, enabled key.`;
    case 'clock_skew':
      return "The clock of the platform differs from AWS's by more than 15 minutes. Set the host's clock (NTP), then retry the run.";
    case 'invalid_configuration':
      return `Bucket "${bucket}" cannot be used in region "${region}" at ${endpoint} (${name}). Correct the region or the endpoint of the destination.`;
    case 'throttled':
      return `Bucket "${bucket}" is being throttled (${name}). The delivery is tried again later.`;
    case 'timeout':
      return `${endpoint} did not answer ${operation} for bucket "${bucket}" in time. The delivery is tried again later.`;
    case 'connection_lost':
      return `The connection to ${endpoint} was lost during ${operation} for bucket "${bucket}" (${message}). The delivery is tried again later.`;
    case 'unavailable':
      return `${endpoint} could not serve ${operation} for bucket "${bucket}" (${name}). The delivery is tried again later.`;
    case 'checksum_mismatch':
      return `What arrived in bucket "${bucket}" is not what was sent (${name}: ${message}). The delivery is tried again later.`;
    case 'upload_lost':
      return `The unfinished upload in bucket "${bucket}" is gone: another attempt or a lifecycle rule removed it.`;
    case 'object_locked':
      return `An object of bucket "${bucket}" may not be replaced or removed (${message}). Exempt the export's prefix from the retention policy.`;
    default:
      return `Bucket "${bucket}" refused ${operation} (${name}: ${message}).`;
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The HTTP status that the SDK notes on its errors. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
