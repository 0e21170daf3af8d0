import type { DestinationErrorCode } from './errors';

/** What Node's errors of sockets, DNS and TLS mean for a store, by their `code`. */
const NETWORK: Readonly<Record<string, DestinationErrorCode>> = {
  ECONNRESET: 'connection_lost',
  ECONNREFUSED: 'connection_lost',
  ECONNABORTED: 'connection_lost',
  EPIPE: 'connection_lost',
  EHOSTUNREACH: 'connection_lost',
  ENETUNREACH: 'connection_lost',
  ENOTFOUND: 'connection_lost',
  EAI_AGAIN: 'connection_lost',
  UND_ERR_SOCKET: 'connection_lost',
  ERR_STREAM_PREMATURE_CLOSE: 'connection_lost',
  EPROTO: 'connection_lost',
  ENETDOWN: 'connection_lost',
  EHOSTDOWN: 'connection_lost',
  ERR_SOCKET_CLOSED: 'connection_lost',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'timeout',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection_lost',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  CERT_HAS_EXPIRED: 'invalid_configuration',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'invalid_configuration',
  ERR_TLS_CERT_ALTNAME_INVALID: 'invalid_configuration',
  SELF_SIGNED_CERT_IN_CHAIN: 'invalid_configuration',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'invalid_configuration',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'invalid_configuration',
};

/** @param code the `code` of an error from `node:net`, `node:dns`, `node:tls` or undici */
export function networkFault(code: string): DestinationErrorCode | undefined {
  // An answer that is not HTTP or was cut in its header; TLS that was broken off.
  if (code.startsWith('HPE_') || code.startsWith('ERR_SSL_')) return 'connection_lost';
  return Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
}

/** Names that the AWS services share; S3's list: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const AWS: Readonly<Record<string, DestinationErrorCode>> = {
  SlowDown: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  RequestLimitExceeded: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestTimeout: 'timeout',
  TimeoutError: 'timeout',
  InternalError: 'unavailable',
  InternalFailure: 'unavailable',
  ServiceFailure: 'unavailable',
  ServiceUnavailable: 'unavailable',
  OperationAborted: 'unavailable',
  ConcurrentModification: 'unavailable',
  ConcurrentModificationException: 'unavailable',
  RequestTimeTooSkewed: 'clock_skew',
  RequestExpired: 'clock_skew',
  InvalidAccessKeyId: 'credentials_invalid',
  InvalidClientTokenId: 'credentials_invalid',
  SignatureDoesNotMatch: 'credentials_invalid',
  ExpiredToken: 'credentials_invalid',
  ExpiredTokenException: 'credentials_invalid',
  TokenRefreshRequired: 'credentials_invalid',
  InvalidToken: 'credentials_invalid',
  CredentialsProviderError: 'credentials_invalid',
  NotSignedUp: 'credentials_invalid',
  AccountProblem: 'quota_exceeded',
  AccessDenied: 'access_denied',
  AccessDeniedException: 'access_denied',
  AllAccessDisabled: 'access_denied',
};

/** @param name the `name` of an AWS SDK error, which is the service's own error code */
export function awsFault(name: string, status: number | undefined): DestinationErrorCode | undefined {
  if (Object.hasOwn(AWS, name)) return AWS[name];
  if (name.startsWith('KMS.')) return 'kms_denied';
  if (status === 429) return 'throttled';
  if (status === 401 || status === 403) return 'access_denied';
  if (status !== undefined && status >= 500) return 'unavailable';
  return undefined;
}
