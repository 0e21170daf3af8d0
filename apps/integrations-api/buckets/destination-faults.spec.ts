import { DESTINATION_ERROR_CODES, DestinationError, type DestinationErrorCode } from '@delivery/destinations/driver';
import { ApiException } from '@delivery/platform/auth';
import { customerBucketFault, platformBucketFault } from './destination-faults';

const sentence = 'What to change.';

function answerTo(map: (error: unknown) => unknown, code: DestinationErrorCode): unknown {
  const mapped = map(new DestinationError(code, sentence));
  if (!(mapped instanceof ApiException)) return mapped instanceof DestinationError ? 'unchanged' : mapped;
  const { errors, message } = mapped;
  return [mapped.getStatus(), errors[0]?.field ?? (message === sentence ? 'shown' : 'hidden')];
}

const KEY = [400, 'authentication.json_key'];
const BUCKET = [400, 'properties.bucket_name'];
const ACCOUNT = [400, 'authentication.account_id'];
const LATER = [503, 'hidden'];
const OURS = [500, 'hidden'];

const EXPECTED: Readonly<Record<DestinationErrorCode, [customer: unknown, platform: unknown]>> = {
  access_denied: [BUCKET, OURS],
  bucket_not_found: [BUCKET, OURS],
  credentials_invalid: [KEY, OURS],
  role_not_assumable: [BUCKET, OURS],
  kms_denied: [BUCKET, OURS],
  clock_skew: ['unchanged', OURS],
  object_locked: [BUCKET, OURS],
  quota_exceeded: [BUCKET, OURS],
  object_too_large: [BUCKET, OURS],
  invalid_key: [BUCKET, OURS],
  invalid_configuration: [KEY, OURS],
  name_taken: [BUCKET, OURS],
  principal_invalid: [BUCKET, ACCOUNT],
  rejected: [BUCKET, OURS],
  aborted: [LATER, LATER],
  throttled: [LATER, LATER],
  unavailable: [LATER, LATER],
  timeout: [LATER, LATER],
  connection_lost: [LATER, LATER],
  checksum_mismatch: [LATER, LATER],
  upload_lost: [LATER, LATER],
};

describe('a destination that refuses', () => {
  it.each(DESTINATION_ERROR_CODES)('%s', (code) => {
    expect([answerTo(customerBucketFault, code), answerTo(platformBucketFault, code)]).toEqual(EXPECTED[code]);
  });

  it('leaves other errors alone', () => {
    const error = new Error('other');
    expect([customerBucketFault(error), platformBucketFault(error)]).toEqual([error, error]);
  });
});
