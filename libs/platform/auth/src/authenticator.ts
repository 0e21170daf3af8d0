import { Inject, Injectable, Optional } from '@nestjs/common';
import { API_KEY_LOOKUP, type ApiKeyLookup, type ApiKeyRecord, secretMatches } from './api-keys';
import { CachedApiKeys } from './cached-api-keys';
import type { Credentials } from './credentials';
import { unauthorized } from './errors';
import type { Principal } from './principal';
import { SessionTokens } from './session-tokens';

/** Decides whether credentials are true. */
@Injectable()
export class Authenticator {
  private readonly cached: CachedApiKeys;

  constructor(
    @Inject(API_KEY_LOOKUP) private readonly lookup: ApiKeyLookup,
    @Optional() private readonly tokens?: SessionTokens,
  ) {
    this.cached = new CachedApiKeys(lookup);
  }

  /** Whether deciding costs a query about a key of which nothing is known. */
  isNew(credentials: Credentials): boolean {
    return credentials.kind === 'api-key' && this.cached.isNew(credentials.id);
  }

  /**
   * @returns who asks; `refused` when it is somebody's key, but its secret is not true or it is disabled
   * @throws 401 for a session that is not good
   */
  async authenticate(credentials: Credentials): Promise<{ principal?: Principal; refused?: Principal }> {
    if (credentials.kind === 'session') return { principal: await this.bySession(credentials.token) };
    const key = await this.cached.find(credentials.id);
    const principal = ifTrue(key, credentials.secret);
    if (principal !== undefined) return { principal };
    return key === undefined ? {} : { refused: { organizationId: key.organizationId, keyId: key.id } };
  }

  /** The principal of an API key, asked of the database itself: a disabled key gets no further session. */
  async checkApiKey(id: string, secret: string): Promise<Principal | undefined> {
    return ifTrue(await this.lookup.find(id), secret);
  }

  private async bySession(token: string): Promise<Principal> {
    const session = (await this.tokens?.verify(token)) ?? 'invalid';
    if (session === 'expired')
      throw unauthorized('The access token has expired: get a new one from POST /v1/sessions.');
    if (session === 'invalid') throw unauthorized('The access token is not valid: get one from POST /v1/sessions.');
    return { organizationId: session.organizationId, keyId: session.keyId, session };
  }
}

function ifTrue(key: ApiKeyRecord | undefined, secret: string): Principal | undefined {
  // Compared before looking at anything else: a disabled key must take as long as a missing one.
  const matches = secretMatches(secret, key);
  return matches && key?.enabled ? { organizationId: key.organizationId, keyId: key.id } : undefined;
}
