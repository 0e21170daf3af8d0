import { Inject, Injectable, Optional } from '@nestjs/common';
import { API_KEY_LOOKUP, type ApiKeyLookup, secretMatches } from './api-keys';
import { CachedApiKeys } from './cached-api-keys';
import type { Credentials } from './credentials';
import { unauthorized } from './errors';
import type { Principal } from './principal';
import { SessionTokens } from './session-tokens';

/** Decides whether credentials are true. */
@Injectable()
export class Authenticator {
  private readonly cached: ApiKeyLookup;

  constructor(
    @Inject(API_KEY_LOOKUP) private readonly lookup: ApiKeyLookup,
    @Optional() private readonly tokens?: SessionTokens,
  ) {
    this.cached = new CachedApiKeys(lookup);
  }

  /** @throws 401 with a sentence that does not tell which half was wrong */
  async authenticate(credentials: Credentials): Promise<Principal> {
    if (credentials.kind === 'session') return this.bySession(credentials.token);
    const principal = await check(this.cached, credentials.id, credentials.secret);
    if (principal === undefined) throw unauthorized('The API key is not valid.');
    return principal;
  }

  /** The principal of an API key, asked of the database itself: a disabled key gets no further session. */
  checkApiKey(id: string, secret: string): Promise<Principal | undefined> {
    return check(this.lookup, id, secret);
  }

  private async bySession(token: string): Promise<Principal> {
    const session = (await this.tokens?.verify(token)) ?? 'invalid';
    if (session === 'expired')
      throw unauthorized('The access token has expired: get a new one from POST /v1/sessions.');
    if (session === 'invalid') throw unauthorized('The access token is not valid: get one from POST /v1/sessions.');
    return { organizationId: session.organizationId, keyId: session.keyId, session };
  }
}

async function check(lookup: ApiKeyLookup, id: string, secret: string): Promise<Principal | undefined> {
  const key = await lookup.find(id);
  // Compared before looking at anything else: a disabled key must take as long as a missing one.
  const matches = secretMatches(secret, key);
  return matches && key?.enabled ? { organizationId: key.organizationId, keyId: key.id } : undefined;
}
