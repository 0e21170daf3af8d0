import { Env } from '@delivery/platform/config';
import { NamedKeys } from '@delivery/platform/secrets';
import { IsInt, Max, Min } from 'class-validator';

/** How sessions are made. Every service that accepts them needs the same keys. */
export class AuthConfig {
  @Env({
    name: 'AUTH_TOKEN_KEYS',
    description:
      'Keys that sign session tokens, as name:base64 of 32 bytes, comma separated. The first signs; all are accepted. ' +
      'To rotate, add a new one at the end everywhere, then move it first, then drop the old one after one lifetime.',
    example: '2026b:<base64>,2026a:<base64>',
    secret: true,
  })
  @NamedKeys()
  tokenKeys: string[];

  @Env({ name: 'AUTH_TOKEN_LIFETIME_SECONDS', description: 'How long a session token is valid.', default: '3600' })
  @IsInt()
  @Min(60)
  @Max(86_400)
  tokenLifetimeSeconds: number;
}
