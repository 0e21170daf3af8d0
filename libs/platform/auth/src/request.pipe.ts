import { type ArgumentMetadata, Injectable, type PipeTransform, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { ApiException, badRequest, type FieldError, notFound } from './errors';

/** Recursive code (ours, class-transformer, the database) meets no deeper nesting than this. */
const MAX_DEPTH = 32;
/** A body of a million wrong items is not answered with a million sentences. */
const MAX_FIELD_ERRORS = 100;

/** What a body's type is at run time when it was declared as no class. */
const NO_CLASS: readonly unknown[] = [undefined, Object, Array, String, Number, Boolean];

/**
 * Checks what a controller's method takes: class-validator rules, unknown fields refused, every field at fault named.
 * Bodies typed other than by a class are only checked for depth. Text of the URL that the database could not take
 * (NUL, a lone surrogate) is refused here, for all routes.
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
    if (metadata.type === 'body') checkBody(value, metadata.metatype);
    // No id holds such text, so there is nothing of that name.
    if (metadata.type === 'param' && !isSafe(value)) throw notFound('Page not found');
    if (metadata.type === 'query') checkQuery(value);
    const between = faultsBetween(value, metadata);
    if (between.length === 0) return this.validation.transform(value, metadata);
    const within = await this.faultsWithin(value, metadata);
    const told = new Set(within.map(({ field }) => field));
    throw refused([...within, ...between.filter(({ field }) => !told.has(field))]);
  }

  private async faultsWithin(value: unknown, metadata: ArgumentMetadata): Promise<readonly FieldError[]> {
    try {
      await this.validation.transform(value, metadata);
      return [];
    } catch (error) {
      if (error instanceof ApiException) return error.errors;
      throw error;
    }
  }
}

/**
 * What a body's class says of its fields taken together, in a static method `faultsBetween(body)`; it is given the body
 * as it came and says nothing of a field that is wrong by itself.
 */
function faultsBetween(body: unknown, { type, metatype }: ArgumentMetadata): readonly FieldError[] {
  if (type !== 'body' || metatype === undefined || !('faultsBetween' in metatype)) return [];
  return typeof metatype.faultsBetween === 'function' ? metatype.faultsBetween(body) : [];
}

function checkBody(value: unknown, metatype: unknown): void {
  if (isDeeperThan(value, MAX_DEPTH)) throw badRequest(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  // Nest takes null and a missing body for {}: a change of nothing would be answered as done.
  if (!NO_CLASS.includes(metatype) && (!isObject(value) || Array.isArray(value))) {
    throw badRequest('The body must be a JSON object, sent with Content-Type: application/json.');
  }
}

function checkQuery(value: unknown): void {
  const unsafe = isObject(value) ? Object.entries(value).filter((pair) => ![pair].flat(2).every(isSafe)) : [];
  if (unsafe.length === 0) return;
  throw badRequest(
    'A parameter holds NUL or is no valid text.',
    unsafe.map(([name]) => ({ field: name.replaceAll('\0', ''), message: 'holds NUL or is no valid text' })),
  );
}

function isSafe(value: unknown): boolean {
  return typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed());
}

/** The 400 for what class-validator found; also for checks outside a controller's parameters. */
export function invalidRequest(errors: readonly ValidationError[]): ApiException {
  return refused(fieldErrors(errors));
}

function refused(fields: readonly FieldError[]): ApiException {
  const [first] = fields;
  const detail = fields.length === 1 && first !== undefined ? `${first.field}: ${first.message}` : 'see errors';
  return badRequest(`The request is not valid: ${detail}.`, fields.slice(0, MAX_FIELD_ERRORS));
}

/**
 * Flattens class-validator's tree, one sentence a field; paths are dotted, places in arrays numbered from 0:
 * `events.3.user.id`.
 */
export function fieldErrors(errors: readonly ValidationError[], parent = ''): readonly FieldError[] {
  return errors.flatMap((error) => {
    const field = parent === '' ? error.property : `${parent}.${error.property}`;
    const own = sentenceOf(error);
    return [...(own === undefined ? [] : [{ field, message: own }]), ...fieldErrors(error.children ?? [], field)];
  });
}

/** Of the rule declared first, the type: what is no text at all is also too short, too long and of no known form. */
function sentenceOf({ constraints = {}, property }: ValidationError): string | undefined {
  const failed = Object.entries(constraints);
  const [rule, message] = failed.findLast(([name]) => name !== 'nestedValidation') ?? failed[0] ?? [];
  if (message === undefined) return undefined;
  return rule === 'whitelistValidation' ? 'is not a field of this request' : withoutName(message, property);
}

/** `name must be a string` beside `field: customer.name` would say it twice, the second time without its path. */
function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

/** Recursive itself, but never deeper than the limit. Makes no lists of values: it sees every body whole. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (!isObject(value)) return false;
  if (limit === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, limit - 1));
  for (const key in value) if (isDeeperThan(value[key as keyof typeof value], limit - 1)) return true;
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
