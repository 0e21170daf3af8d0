/** Why a secret could not be sealed, opened or used for signing. None of it goes away by trying again. */
export const SECRETS_ERROR_CODES = ['invalid_key', 'malformed', 'unknown_key', 'not_authentic'] as const;
export type SecretsErrorCode = (typeof SECRETS_ERROR_CODES)[number];

/** Never carries a key, a plain text or a sealed text. */
export class SecretsError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: SecretsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SecretsError';
  }
}
