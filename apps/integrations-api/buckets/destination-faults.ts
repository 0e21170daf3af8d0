import { DestinationError, type DestinationErrorCode } from '@delivery/destinations/driver';
import { ApiException } from '@delivery/platform/auth';

const RETRY_AFTER_SECONDS = 10;

/** What the client can repair by another key; everything else that he can repair is about the bucket. */
const OF_THE_KEY: readonly DestinationErrorCode[] = ['credentials_invalid', 'invalid_configuration'];

/** Not the client's to repair, and nothing that he should read about the machines of the platform. */
const OF_THE_PLATFORM: readonly DestinationErrorCode[] = ['clock_skew'];

/**
 * What a client is told when his own bucket could not be written to: the driver's sentence, beside the field to change.
 * Anything that is no `DestinationError` is returned unchanged.
 */
export function customerBucketFault(error: unknown): unknown {
  if (!(error instanceof DestinationError) || OF_THE_PLATFORM.includes(error.code)) return error;
  if (error.retryable || error.code === 'aborted') return passing(error);
  const field = OF_THE_KEY.includes(error.code) ? 'authentication.json_key' : 'properties.bucket_name';
  return refused(field, error);
}

/** The same for the bucket that the platform makes, where only the account id is the client's. */
export function platformBucketFault(error: unknown): unknown {
  if (!(error instanceof DestinationError)) return error;
  if (error.code === 'principal_invalid') return refused('authentication.account_id', error);
  if (error.retryable || error.code === 'aborted') return passing(error);
  // The driver's sentence is about the platform's own cloud account: for the log, not for the client.
  return new ApiException(
    500,
    'The bucket for your organization could not be made, for a reason on our side. Nothing was created; ' +
      'the operator finds the reason in the log.',
    { cause: error },
  );
}

function refused(field: string, error: DestinationError): ApiException {
  return new ApiException(400, error.message, { errors: [{ field, message: error.message }], cause: error });
}

function passing(error: DestinationError): ApiException {
  return new ApiException(
    503,
    'The bucket could not be reached just now, and nothing was changed. Send the request again in a few seconds.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error },
  );
}
