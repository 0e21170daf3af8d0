import { Ajv2020, type ErrorObject } from 'ajv/dist/2020';
import { type Form, forms } from './forms';
import type { JsonSchema } from './json-schema';
import { type Reason, reasonLimit, toReasons } from './reasons';
import { mayBeUnsafe, unsafeReason, unsafeText } from './unsafe-text';

/** A kind of message that belongs to an organization. */
export interface MessageKind<T> {
  readonly schema: JsonSchema;
  /** Rules that no single field's schema can say. */
  rules(value: T): Reason[];
  /** Largest value of a message. */
  readonly maxBytes: number;
  /** The forms that the schema has patterns of. */
  readonly forms: Readonly<Record<string, Form>>;
  /** Fields that senders may expect, but that are not taken: the sentence for each. */
  readonly notSupported?: Readonly<Record<string, string>>;
}

export type Validated<T> =
  { ok: true; value: T } | { ok: false; reasons: Reason[]; organizationId: string | undefined };

export interface MessageValidator<T> {
  /** Validates an object that came as JSON, REST and Kafka alike. */
  validate(value: unknown): Validated<T>;
  /** Parses and validates the value of a message in the topic. Never throws. */
  parse(bytes: Buffer | null): Validated<T>;
}

/** Makes the validator of a kind of message: compiles its schema, twice. */
export function messageValidator<T>(kind: MessageKind<T>): MessageValidator<T> {
  const faultsOf = compile<T>(kind);
  const validate = (value: unknown): Validated<T> => {
    const faults = faultsOf(value);
    if ('errors' in faults) return refuse(toReasons(faults.errors, kind), value);
    const reasons = kind.rules(faults.value);
    return reasons.length > 0 ? refuse(reasons.slice(0, reasonLimit), value) : { ok: true, value: faults.value };
  };
  return { validate, parse: (bytes) => parseMessage(bytes, kind.maxBytes, validate) };
}

const options = { strict: true, allowUnionTypes: true, validateFormats: false } as const;

/**
 * Largest value of which all faults are told, in parts; of a larger one, the first. Ajv's time for all of them grows
 * with the square of their number: a megabyte of `"purposes":[{},{},...]` would stop a partition for minutes.
 */
const partsLookedThrough = 2_000;

function compile<T>({ schema }: MessageKind<T>): (value: unknown) => { value: T } | { errors: readonly ErrorObject[] } {
  const validate = new Ajv2020(options).compile<T>(schema);
  const validateAll = new Ajv2020({ ...options, allErrors: true }).compile(schema);
  return (value) => {
    if (validate(value)) return { value };
    const first = validate.errors ?? [];
    if (!hasAtMost(value, partsLookedThrough)) return { errors: first };
    validateAll(value);
    return { errors: validateAll.errors ?? first };
  };
}

/** Whether a value consists of at most so many objects, lists and plain values; looks at no more of them. */
function hasAtMost(value: unknown, parts: number): boolean {
  const found = [value];
  for (let i = 0; i < found.length; i += 1) {
    const part = found[i];
    if (typeof part !== 'object' || part === null) continue;
    const inner: unknown[] = Object.values(part);
    if (found.length + inner.length > parts) return false;
    found.push(...inner);
  }
  return true;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function parseMessage<T>(
  bytes: Buffer | null,
  maxBytes: number,
  validate: (value: unknown) => Validated<T>,
): Validated<T> {
  if (bytes === null || bytes.length === 0) return refuse([whole('empty', 'The message has no value.')]);
  if (bytes.length > maxBytes) {
    const message = `The message has ${bytes.length} bytes; at most ${maxBytes} are allowed.`;
    return refuse([whole('too_large', message)]);
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refuse([whole('not_utf8', 'The message is not UTF-8.')]);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse([whole('not_json', 'The message is not JSON.')]);
  }
  const result = validate(value);
  if (!result.ok || !mayBeUnsafe(text)) return result;
  const unsafe = unsafeText(value);
  return unsafe === undefined ? result : refuse([unsafeReason(unsafe)], value);
}

function whole(code: string, message: string): Reason {
  return { field: '', code, message };
}

function refuse<T>(reasons: Reason[], value?: unknown): Validated<T> {
  return { ok: false, reasons, organizationId: organizationOf(value) };
}

function organizationOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('organization_id' in value)) return undefined;
  const { organization_id: id } = value;
  return typeof id === 'string' && forms.organizationId.pattern.test(id) ? id : undefined;
}
