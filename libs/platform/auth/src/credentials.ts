/**
 * The ways a contract lets its clients pass who they are:
 * - `bearer-session`: `Authorization: Bearer <token of POST /v1/sessions>` (contracts.md §1.1)
 * - `bearer`: `Authorization: Bearer <id>.<secret>`
 * - `x-api-key`: header `x-api-key`, or query `apiKey` in any case; the header wins (§2.1)
 * - `app`: `Authorization: App <id>.<secret>` (§3.1)
 * - `basic`: `Authorization: Basic <base64 of id:secret>` (RFC 7617)
 * - `raw`: `Authorization: <id>.<secret>` (§4.1)
 */
export const CREDENTIAL_SCHEMES = ['bearer-session', 'bearer', 'x-api-key', 'app', 'basic', 'raw'] as const;
export type CredentialScheme = (typeof CREDENTIAL_SCHEMES)[number];

export type Credentials =
  | { readonly kind: 'session'; readonly token: string }
  | { readonly kind: 'api-key'; readonly id: string; readonly secret: string };

/** `malformed`: something was sent, in a form or by a way that is not accepted here. */
export type CredentialsOutcome = Credentials | 'absent' | 'malformed';

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
export type Query = Readonly<Record<string, unknown>>;

/** Nothing longer is looked at: a credential of ours has at most a few hundred characters, a token below 2,000. */
const MAX_LENGTH = 4096;
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const API_KEY = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})$/;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Finds the credentials of a request. Only says what was sent, not whether it is true.
 *
 * @param headers - with lower-case names, as Node gives them
 * @param accepted - tried in this order for what one header can hold
 */
export function parseCredentials(
  headers: Headers,
  query: Query,
  accepted: readonly CredentialScheme[],
): CredentialsOutcome {
  const fromKey = accepted.includes('x-api-key') ? fromApiKeyParameter(headers, query) : 'absent';
  if (fromKey !== 'absent') return fromKey;
  const { authorization } = headers;
  if (authorization === undefined) return 'absent';
  if (typeof authorization !== 'string' || authorization.length > MAX_LENGTH) return 'malformed';
  for (const scheme of accepted) {
    const found = fromAuthorization(scheme, authorization.trim());
    if (found !== undefined) return found;
  }
  return 'malformed';
}

/** Whether a text can be the id of an API key at all; anything else need not be looked up. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

function fromApiKeyParameter(headers: Headers, query: Query): CredentialsOutcome {
  const header = headers['x-api-key'];
  if (header !== undefined) return fromKeyText(header) ?? 'malformed';
  const values = Object.entries(query).filter(([name]) => name.toLowerCase() === 'apikey');
  if (values.length === 0) return 'absent';
  // Two different keys in one request: neither can be taken for the caller's.
  return values.length === 1 ? (fromKeyText(values[0]?.[1]) ?? 'malformed') : 'malformed';
}

function fromAuthorization(scheme: CredentialScheme, header: string): Credentials | undefined {
  switch (scheme) {
    case 'bearer-session': {
      const token = afterScheme('bearer', header);
      return token !== undefined && TOKEN.test(token) ? { kind: 'session', token } : undefined;
    }
    case 'bearer':
      return fromKeyText(afterScheme('bearer', header));
    case 'app':
      return fromKeyText(afterScheme('app', header));
    case 'basic':
      return fromBasic(afterScheme('basic', header));
    case 'raw':
      return fromKeyText(header);
    case 'x-api-key':
      return undefined;
  }
}

/** Scheme names are case-insensitive (RFC 9110 §11.1). */
function afterScheme(scheme: string, header: string): string | undefined {
  const space = header.indexOf(' ');
  return header.slice(0, space).toLowerCase() === scheme ? header.slice(space + 1).trim() : undefined;
}

function fromKeyText(text: unknown): Credentials | undefined {
  if (typeof text !== 'string') return undefined;
  const [, id, secret] = API_KEY.exec(text.trim()) ?? [];
  return id === undefined || secret === undefined ? undefined : { kind: 'api-key', id, secret };
}

function fromBasic(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1) return undefined;
  const id = decoded.slice(0, colon);
  const secret = decoded.slice(colon + 1);
  return isKeyId(id) && secret !== '' ? { kind: 'api-key', id, secret } : undefined;
}
