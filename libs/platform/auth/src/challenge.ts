import type { CredentialScheme } from './credentials';

/** The schemes of HTTP authentication (RFC 9110 §11.6.1) behind the ways of sending a key. */
const CHALLENGES: Readonly<Record<CredentialScheme, string>> = {
  'bearer-session': 'Bearer',
  bearer: 'Bearer',
  'x-api-key': 'ApiKey header="x-api-key"',
  app: 'App',
  basic: 'Basic realm="API key", charset="UTF-8"',
  raw: 'ApiKey header="authorization"',
};

const challenges = new WeakMap<object, string>();

/** Remembers what a request's route accepts, for the answer if it is refused. */
export function setChallenge(request: object, accepted: readonly CredentialScheme[]): void {
  challenges.set(request, [...new Set(accepted.map((scheme) => CHALLENGES[scheme]))].join(', '));
}

/** The value of `WWW-Authenticate` of a 401. */
export function challengeOf(request: object): string {
  return challenges.get(request) ?? 'Bearer';
}
