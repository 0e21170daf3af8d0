import {
  abortedError,
  awsFault,
  DestinationError,
  failureOf,
  networkFault,
  type DestinationErrorCode,
} from '@delivery/destinations/driver';

export interface ProvisionerErrorContext {
  /** The IAM action that the call needs, such as `s3:CreateBucket`. */
  action: string;
  bucketName: string;
}

const CODES: Readonly<Record<string, DestinationErrorCode>> = {
  BucketAlreadyExists: 'name_taken',
  NoSuchBucket: 'bucket_not_found',
  InvalidBucketName: 'invalid_configuration',
  InvalidLocationConstraint: 'invalid_configuration',
  IllegalLocationConstraintException: 'invalid_configuration',
  AuthorizationHeaderMalformed: 'invalid_configuration',
  PermanentRedirect: 'invalid_configuration',
  TooManyBuckets: 'quota_exceeded',
  LimitExceeded: 'quota_exceeded',
  LimitExceededException: 'quota_exceeded',
  EntityTemporarilyUnmodifiable: 'unavailable',
  EntityTemporarilyUnmodifiableException: 'unavailable',
};

/** Maps whatever a call of S3, IAM or STS rejected with. */
export function mapProvisionerError(error: unknown, context: ProvisionerErrorContext): DestinationError {
  if (error instanceof DestinationError) return error;
  const { name, message, code } = failureOf(error);
  if (name === 'AbortError') return abortedError();
  const fault = faultOf(name, message, code, httpStatusOf(error));
  return new DestinationError(fault, sentence(fault, context, { name, message }), { cause: error });
}

function faultOf(name: string, message: string, code: string, status: number | undefined): DestinationErrorCode {
  const network = networkFault(code);
  if (network !== undefined) return network;
  if (name.startsWith('MalformedPolicyDocument') && /invalid principal/i.test(message)) return 'principal_invalid';
  if (Object.hasOwn(CODES, name)) return CODES[name] ?? 'rejected';
  // Without a status nothing was answered.
  return awsFault(name, status) ?? (status === undefined ? 'connection_lost' : 'rejected');
}

function sentence(
  code: DestinationErrorCode,
  { action, bucketName }: ProvisionerErrorContext,
  { name, message }: { name: string; message: string },
): string {
  switch (code) {
    case 'principal_invalid': {
      const accounts = [...new Set(message.match(/\b\d{12}\b/g) ?? [])].join(', ');
      return `AWS knows no account ${accounts || 'of this id'}, so it cannot be given access. Correct account_id: it is the 12 digits of your AWS account.`;
    }
    case 'name_taken':
      return `The bucket name "${bucketName}" belongs to another AWS account. Allocate another name.`;
    case 'access_denied':
      return `The platform's own AWS identity may not ${action}. Allow it in the platform's policy.`;
    case 'credentials_invalid':
      return `AWS does not accept the platform's own credentials (${name}). Correct them where the platform runs.`;
    case 'clock_skew':
      return "The clock of the platform differs from AWS's by more than 15 minutes. Set the host's clock (NTP).";
    case 'quota_exceeded':
      return `The platform's AWS account has reached a limit (${message}). Raise its quota for buckets or roles.`;
    case 'invalid_configuration':
      return `Bucket "${bucketName}" cannot be made in this region (${name}). Correct the platform's region or endpoint.`;
    case 'bucket_not_found':
      return `Bucket "${bucketName}" has been removed. Create the integration's bucket again.`;
    case 'throttled':
    case 'timeout':
    case 'connection_lost':
    case 'unavailable':
      return `AWS could not ${action} for "${bucketName}" (${name}). Try again.`;
    default:
      return `AWS refused ${action} for "${bucketName}" (${name}: ${message}).`;
  }
}

/** The HTTP status that the SDK notes on its errors. */
export function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
