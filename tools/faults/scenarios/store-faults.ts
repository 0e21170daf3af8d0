import type { Fault, Rule } from '@delivery/destinations/testing';

type Kind = 's3' | 'gcs';

/** A failure, in the store's own words, of requests that are not reads. */
export interface NamedFault {
  name: string;
  fault: Fault;
}

/** A refusal that no repetition mends. */
export interface Refusal extends NamedFault {
  /** What the run's owner is told to change. */
  tells: RegExp;
}

const s3Answer = (status: number, code: string, message = 'told by the store'): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});
const gcsAnswer = (status: number, reason: string, message = 'told by the store'): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }),
});

/** Of the network, whatever store is behind it. */
const network: readonly NamedFault[] = [
  { name: '500 without a body', fault: { kind: 'answer', status: 500 } },
  { name: '502 of a load balancer', fault: { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' } },
  { name: 'reset', fault: { kind: 'reset' } },
  { name: 'reset in the middle', fault: { kind: 'reset', afterBytes: 70_000 } },
  { name: 'lost answer', fault: { kind: 'answer_lost' } },
  { name: 'answer cut short', fault: { kind: 'answer_cut', bytes: 1 } },
  { name: 'answer that is no HTTP', fault: { kind: 'garbage' } },
  { name: 'answer without an end', fault: { kind: 'endless' } },
  { name: '1 kB/s', fault: { kind: 'slow', bytesPerSecond: 1000 } },
];

/** What passes by itself. */
export const passing: Readonly<Record<Kind, readonly NamedFault[]>> = {
  s3: [
    ...network,
    { name: '503 SlowDown', fault: s3Answer(503, 'SlowDown') },
    { name: '500 InternalError', fault: s3Answer(500, 'InternalError') },
    { name: '400 RequestTimeout', fault: s3Answer(400, 'RequestTimeout') },
    { name: 'wrong checksum', fault: { kind: 'header', name: 'x-amz-checksum-crc32', value: 'AAAAAA==' } },
  ],
  gcs: [
    ...network,
    { name: '503 backendError', fault: gcsAnswer(503, 'backendError') },
    { name: '429 rateLimitExceeded', fault: gcsAnswer(429, 'rateLimitExceeded') },
  ],
};

/** Believed until the parts are put together, which the store then refuses. */
export const wrongETag: Fault = { kind: 'header', name: 'etag', value: '"00000000000000000000000000000000"' };
export const isPart: Rule['matches'] = ({ method, url }) => method === 'PUT' && url.includes('partNumber=');

/** A store that answers nothing but "come back later". */
export const overloaded: Readonly<Record<Kind, Fault>> = {
  s3: s3Answer(503, 'SlowDown'),
  gcs: gcsAnswer(429, 'rateLimitExceeded'),
};

export const refusals: Readonly<Record<Kind, readonly Refusal[]>> = {
  s3: [
    { name: 'AccessDenied', fault: s3Answer(403, 'AccessDenied'), tells: /denied s3:\w+ to .*Allow it/ },
    { name: 'NoSuchBucket', fault: s3Answer(404, 'NoSuchBucket'), tells: /does not exist\. Create it/ },
    { name: '400 KMS', fault: s3Answer(400, 'KMS.DisabledException'), tells: /Enable the key/ },
    {
      name: '403 KMS',
      fault: s3Answer(403, 'AccessDenied', 'not authorized to perform: kms:GenerateDataKey on this resource'),
      tells: /allow kms:GenerateDataKey/,
    },
    { name: 'RequestTimeTooSkewed', fault: s3Answer(403, 'RequestTimeTooSkewed'), tells: /Set the host's clock/ },
    { name: 'InvalidAccessKeyId', fault: s3Answer(403, 'InvalidAccessKeyId'), tells: /valid, enabled key/ },
  ],
  gcs: [
    { name: '403', fault: gcsAnswer(403, 'forbidden', 'x does not have storage.objects.create'), tells: /Grant/ },
    {
      name: 'bucket gone',
      fault: gcsAnswer(404, 'notFound', 'The specified bucket does not exist.'),
      tells: /does not exist\. Create it/,
    },
    {
      name: 'KMS',
      fault: gcsAnswer(400, 'invalid', 'Cloud KMS key is disabled'),
      tells: /encryption key .* cannot be used\. Enable it/,
    },
    { name: '401', fault: gcsAnswer(401, 'authError', 'Invalid Credentials'), tells: /create a new key/ },
    { name: 'no billing', fault: gcsAnswer(403, 'accountDisabled', 'billing is off'), tells: /Enable billing/ },
  ],
};

/** What writes; a run that is refused may still be cleaned up. */
export const isWrite: Rule['matches'] = ({ method }) => method === 'PUT' || method === 'POST';
