import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** What is wrong with one field of a request: `authentication.account_id`, `events.3.user.id`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** The body of every error of the API (contracts.md §1.2); `errors` is an empty object when there are none. */
export interface ErrorBody {
  readonly code: number;
  /** The status in words: `BadRequest`, `TooManyRequests`. */
  readonly name: string;
  readonly message: string;
  readonly errors: readonly FieldError[] | Record<string, never>;
  /** What a contract adds to it: `available_at`. */
  readonly [more: string]: unknown;
}

export interface ApiExceptionOptions extends ErrorOptions {
  readonly errors?: readonly FieldError[];
  /** Sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Further fields of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/**
 * Ends a request with a status and a sentence for the client. The sentence is sent as it is: it names what is wrong
 * and what to change, and never quotes a secret.
 */
export class ApiException extends HttpException {
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;
  readonly more: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, options: ApiExceptionOptions = {}) {
    super(message, status, options);
    this.name = 'ApiException';
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.more = options.more ?? {};
  }
}

/** 400: the request itself is wrong. */
export function badRequest(message: string, errors: readonly FieldError[] = []): ApiException {
  return new ApiException(400, message, { errors });
}

/** 401: who asks is not known. */
export function unauthorized(message: string): ApiException {
  return new ApiException(401, message);
}

/** 403: who asks is known and may not do this. */
export function forbidden(message: string): ApiException {
  return new ApiException(403, message);
}

/** 404: there is no such thing, or it belongs to another organization (which must look the same). */
export function notFound(message: string): ApiException {
  return new ApiException(404, message);
}

/** Builds the body of contracts.md §1.2. */
export function errorBody(status: number, message: string, errors: readonly FieldError[] = []): ErrorBody {
  const name = (STATUS_CODES[status] ?? 'Error').replace(/[^A-Za-z]/g, '');
  return { code: status, name, message, errors: errors.length === 0 ? {} : errors };
}
