/** Why a service could not start. */
export const SERVICE_ERROR_CODES = ['address_in_use', 'address_not_available', 'not_permitted'] as const;
export type ServiceErrorCode = (typeof SERVICE_ERROR_CODES)[number];

/** A service that cannot start, in words that say what to change. */
export class ServiceError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: ServiceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ServiceError';
  }
}
