/** Field names whose values are secrets wherever they turn up, compared without case, `-` and `_`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'xapikey',
  'apikey',
  'secret',
  'secretkey',
  'secretaccesskey',
  'clientsecret',
  'sessiontoken',
  'xamzsecuritytoken',
  'password',
  'passphrase',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'privatekey',
  'jsonkey',
  'credentials',
  'sealedcredentials',
]);

const HIDDEN = '[hidden]';
const MAX_DEPTH = 8;

/** Text that is a secret by its look: credentials in URLs, bearer tokens, signed tokens, private keys. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  // Every repetition is bounded: a hostile text must not make a log line slow.
  [
    /([?&](?:api_?key|token|access_token|signature|X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token))=)[^&\s"'\\]+/gi,
    `$1${HIDDEN}`,
  ],
  [/\b(Bearer|Basic|App)\s+[A-Za-z0-9._~+/=-]{20,}/g, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{8,4096}\.[\w-]{1,8192}\.[\w-]{0,4096}/g, HIDDEN],
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'\\]{0,256}):[^\s/@"'\\]{1,512}@/gi, `$1:${HIDDEN}@`],
  [/-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|(?="|$))/g, HIDDEN],
];

/** Replaces what looks like a secret inside a text, such as a log line. */
export function redactText(text: string): string {
  return SECRET_TEXTS.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/**
 * A copy of a value with the values of secret-looking fields replaced, at any depth (deeper than 8 is cut off).
 * Objects with their own `toJSON` keep it; errors keep name, message, stack, code and cause, and lose whatever
 * an SDK hung on them (requests with headers, for one).
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (isErrorLike(value)) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return redact(value.toJSON(), depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecretName(name) ? HIDDEN : redact(item, depth + 1)]),
  );
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''));
}

interface ErrorLike {
  readonly name: string;
  readonly message: string;
  readonly stack?: unknown;
  readonly cause?: unknown;
  readonly code?: unknown;
}

/** `instanceof` fails for errors of another realm (Node's own under Jest). */
function isErrorLike(value: object): value is ErrorLike {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function redactError(error: ErrorLike, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: error.message,
    ...(typeof error.code === 'string' || typeof error.code === 'number' ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
