import { parseNamedKeys } from '@delivery/platform/secrets';
import { errors, jwtVerify, SignJWT } from 'jose';
import { v7 } from 'uuid';
import type { AuthConfig } from './auth.config';

/** What a session token says. */
export interface Session {
  readonly id: string;
  readonly organizationId: string;
  readonly keyId: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

const ALGORITHM = 'HS256';
const ISSUER = 'delivery';
const AUDIENCE = 'delivery-api';

/**
 * Session tokens: JWTs signed with HS256 under one of several keys named by `kid`, so that keys can be rotated.
 * They are not looked up anywhere: a token lives until it expires, also when its API key is disabled
 * (contracts.md §1.1).
 */
export class SessionTokens {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly currentKeyId: string;

  private constructor(
    config: Pick<AuthConfig, 'tokenKeys'>,
    private readonly lifetimeSeconds: number,
    private readonly now: () => Date,
  ) {
    const keys = parseNamedKeys(config.tokenKeys);
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
    this.currentKeyId = keys[0]?.id ?? '';
  }

  /** @throws SecretsError `invalid_key` */
  static fromConfig(config: AuthConfig, now: () => Date = () => new Date()): SessionTokens {
    return new SessionTokens(config, config.tokenLifetimeSeconds, now);
  }

  /** Makes a token for an API key whose secret has been checked. */
  async issue(key: { organizationId: string; keyId: string }): Promise<{ token: string; session: Session }> {
    const issued = Math.floor(this.now().getTime() / 1000);
    const expires = issued + this.lifetimeSeconds;
    const id = v7();
    const token = await new SignJWT({ organization_id: key.organizationId })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: this.currentKeyId })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(key.keyId)
      .setJti(id)
      .setIssuedAt(issued)
      .setExpirationTime(expires)
      .sign(this.keyOf(this.currentKeyId));
    return { token, session: { id, ...key, issuedAt: new Date(issued * 1000), expiresAt: new Date(expires * 1000) } };
  }

  /** @returns `expired` for a token of ours that is too old; `invalid` for anything else that is not valid */
  async verify(token: string): Promise<Session | 'expired' | 'invalid'> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        // Fixed: a token must not choose how it is checked ("alg": "none", or a public key used as a secret).
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'jti', 'iat', 'exp', 'organization_id'],
        currentDate: this.now(),
      });
      const { sub, jti, iat, exp, organization_id: organizationId } = payload;
      if (sub === undefined || jti === undefined || iat === undefined || exp === undefined) return 'invalid';
      if (typeof organizationId !== 'string') return 'invalid';
      return { id: jti, organizationId, keyId: sub, issuedAt: new Date(iat * 1000), expiresAt: new Date(exp * 1000) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JOSEError) return 'invalid';
      throw error;
    }
  }

  private keyOf(kid: string | undefined): Buffer {
    const key = kid === undefined ? undefined : this.keys.get(kid);
    if (key === undefined) throw new errors.JWSInvalid('signed under a key that is not configured');
    return key;
  }
}
