export const serviceErrorCodes = ['build_failed', 'not_ready', 'bad_config', 'port_taken'] as const;
export type ServiceErrorCode = (typeof serviceErrorCodes)[number];

/** A service cannot be started; the message says why, with the end of its log. */
export class ServicesError extends Error {
  constructor(
    readonly code: ServiceErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ServicesError';
  }
}
