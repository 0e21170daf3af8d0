import { type ArgumentMetadata, Injectable, type PipeTransform, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { type ApiException, badRequest, type FieldError } from './errors';

/** Recursive code (ours, class-transformer, the database) meets no deeper nesting than this. */
const MAX_DEPTH = 32;
/** A body of a million wrong items is not answered with a million sentences. */
const MAX_FIELD_ERRORS = 100;

/**
 * Checks what a controller's method takes: class-validator rules, unknown fields refused, every field at fault named.
 * Bodies typed other than by a class are only checked for depth.
 */
@Injectable()
export class RequestPipe implements PipeTransform {
  private readonly validation = new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    // The value stays out of the errors: they end up in answers and logs.
    validationError: { target: false, value: false },
    exceptionFactory: invalidRequest,
  });

  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && isDeeperThan(value, MAX_DEPTH)) {
      throw badRequest(`The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    return this.validation.transform(value, metadata);
  }
}

/** The 400 for what class-validator found; also for checks outside a controller's parameters. */
export function invalidRequest(errors: readonly ValidationError[]): ApiException {
  const fields = fieldErrors(errors);
  const [first] = fields;
  const detail = fields.length === 1 && first !== undefined ? `${first.field}: ${first.message}` : 'see errors';
  return badRequest(`The request is not valid: ${detail}.`, fields.slice(0, MAX_FIELD_ERRORS));
}

/** Flattens class-validator's tree; paths are dotted, places in arrays numbered from 0: `events.3.user.id`. */
export function fieldErrors(errors: readonly ValidationError[], parent = ''): readonly FieldError[] {
  return errors.flatMap((error) => {
    const field = parent === '' ? error.property : `${parent}.${error.property}`;
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? 'is not a field of this request' : withoutName(message, error.property),
    }));
    return [...own, ...fieldErrors(error.children ?? [], field)];
  });
}

/** `name must be a string` beside `field: customer.name` would say it twice, the second time without its path. */
function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

/** Recursive itself, but never deeper than the limit. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (!isObject(value)) return false;
  if (limit === 0) return true;
  return Object.values(value).some((item) => isDeeperThan(item, limit - 1));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
