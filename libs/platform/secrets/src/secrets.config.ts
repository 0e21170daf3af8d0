import { Env } from '@delivery/platform/config';
import { NamedKeys } from './named-keys';

/** The keys under which customers' credentials are sealed in the database. */
export class SecretsConfig {
  @Env({
    name: 'SECRETS_KEYS',
    description:
      'Keys that seal credentials at rest, as name:base64 of 32 bytes, comma separated. The first seals; all open. ' +
      'To rotate, put a new one first and keep the old ones until everything is sealed again.',
    example: '2026b:<base64>,2026a:<base64>',
    secret: true,
  })
  @NamedKeys()
  keys: string[];
}
