/** `usage`: the command was not understood. `not_found`: what it names does not exist. `refused`: it cannot be done now. */
export const adminErrorCodes = ['usage', 'not_found', 'refused'] as const;
export type AdminErrorCode = (typeof adminErrorCodes)[number];

/** A command that could not be done; the message is for the operator. */
export class AdminError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: AdminErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AdminError';
  }
}
