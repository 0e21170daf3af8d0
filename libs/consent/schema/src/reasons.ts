import type { ErrorObject } from 'ajv';
import { type Form, wordsFor } from './forms';

/** What is wrong with a message; `field` is a dotted path, empty for the message as a whole. */
export interface Reason {
  field: string;
  code: string;
  message: string;
}

/** Most reasons told about one message: enough to mend it, too few to flood a log. */
export const reasonLimit = 20;

/** What the sentences say of the fields of a kind of message. */
interface Words {
  readonly forms: Readonly<Record<string, Form>>;
  readonly notSupported?: Readonly<Record<string, string>>;
}

/** Ajv's findings as sentences for the producer. */
export function toReasons(errors: readonly ErrorObject[], words: Words): Reason[] {
  const told = new Map<string, Reason>();
  for (const error of errors) {
    const reason = toReason(error, words);
    // anyOf says twice that a nullable object is wrong; what is wrong inside it says more.
    if (reason !== undefined && !told.has(reason.field)) told.set(reason.field, reason);
    if (told.size === reasonLimit) break;
  }
  return [...told.values()];
}

function toReason(error: ErrorObject, { forms, notSupported }: Words): Reason | undefined {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const at = (field: string) => (path === '' ? field : `${path}.${field}`);
  switch (error.keyword) {
    case 'anyOf':
      return undefined;
    case 'type':
      if (error.params['type'] === 'null') return undefined; // the other half of a nullable object
      return { field: path, code: 'wrong_type', message: `${named(path)} must be ${wanted(error.params['type'])}.` };
    case 'required': {
      const field = at(String(error.params['missingProperty']));
      return { field, code: 'missing', message: `${field} is required.` };
    }
    case 'additionalProperties': {
      const field = at(String(error.params['additionalProperty']).slice(0, 64));
      const sentence = new Map(Object.entries(notSupported ?? {})).get(field);
      if (sentence !== undefined) return { field, code: 'not_supported', message: sentence };
      return {
        field,
        code: 'unknown_field',
        message: `${field} is not a field of this object; remove it or correct its name.`,
      };
    }
    case 'enum':
      return {
        field: path,
        code: 'not_allowed',
        message: `${named(path)} must be one of ${allowed(error.params['allowedValues'])}.`,
      };
    case 'pattern':
      return {
        field: path,
        code: 'wrong_form',
        message: `${named(path)} must be ${wordsFor(error.params['pattern'], forms)}.`,
      };
    case 'minLength':
      return { field: path, code: 'wrong_form', message: `${named(path)} must not be empty.` };
    case 'maxLength':
      return { field: path, code: 'too_long', message: `${named(path)} may have at most ${limit(error)} characters.` };
    case 'maxItems':
      return { field: path, code: 'too_many', message: `${named(path)} may have at most ${limit(error)} items.` };
    default:
      return { field: path, code: 'invalid', message: `${named(path)} ${error.message ?? 'is not valid'}.` };
  }
}

function limit(error: ErrorObject): string {
  return String(error.params['limit']);
}

function named(path: string): string {
  return path === '' ? 'The message' : path;
}

function wanted(type: unknown): string {
  const types = (Array.isArray(type) ? type : [type]).filter((t) => t !== 'null');
  return types.map((t) => (/^[aeiou]/.test(String(t)) ? `an ${String(t)}` : `a ${String(t)}`)).join(' or ');
}

function allowed(values: unknown): string {
  return Array.isArray(values) ? values.filter((value) => value !== null).join(', ') : '';
}
