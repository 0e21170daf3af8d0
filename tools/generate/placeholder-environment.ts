import type { ConfigVariable } from '@delivery/platform/config';

const namedKey = `reference:${Buffer.alloc(32).toString('base64')}`;

/** Secrets have no example that could be used. Nothing is ever opened, signed or sealed with these. */
const placeholders: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://reference@127.0.0.1/reference',
  AUTH_TOKEN_KEYS: namedKey,
  SECRETS_KEYS: namedKey,
  DOWNLOAD_SIGNING_KEYS: namedKey,
  MANIFEST_SIGNING_KEY: `MC4CAQAwBQYDK2VwBCIEI${'A'.repeat(43)}`,
};

/**
 * An environment with which a service's wiring can be read: the example of every required variable. So it also shows
 * that the documented examples are accepted.
 */
export function placeholderEnvironment(variables: readonly ConfigVariable[]): NodeJS.ProcessEnv {
  const required = variables.filter((variable) => variable.required);
  return Object.fromEntries(
    required.map(({ variable, example }) => [variable, placeholders[variable] ?? example] as const),
  );
}
