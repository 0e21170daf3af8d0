import type { ConsentEventInput } from '@delivery/consent/domain';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020';
import { ConsentEventMessage } from './consent-event.message';
import { forms } from './forms';
import { jsonSchemaOf, type JsonSchema } from './json-schema';
import { toReasons, type Reason } from './reasons';
import { eventRules } from './rules';
import { mayBeUnsafe, unsafeText } from './unsafe-text';

export const consentEventSchema: JsonSchema = jsonSchemaOf(
  ConsentEventMessage,
  'urn:consent-delivery:consent-event:v1',
  'Consent event',
);

/** Largest message value, in bytes. */
export const maxEventBytes = 1_048_576;

const options = { strict: true, allowUnionTypes: true, validateFormats: false } as const;
const validate = new Ajv2020(options).compile<ConsentEventInput>(consentEventSchema);
const validateAll = new Ajv2020({ ...options, allErrors: true }).compile(consentEventSchema);

/**
 * Largest value of which all faults are told, in parts; of a larger one, the first. Ajv's time for all of them grows
 * with the square of their number: a megabyte of `"purposes":[{},{},...]` would stop a partition for minutes.
 */
const partsLookedThrough = 2_000;

export type Validated =
  { ok: true; event: ConsentEventInput } | { ok: false; reasons: Reason[]; organizationId: string | undefined };

/** Validates an object that came as JSON, REST and Kafka alike. */
export function validateEvent(value: unknown): Validated {
  if (!validate(value)) return refuse(toReasons(faultsOf(value)), value);
  const reasons = eventRules(value);
  return reasons.length > 0 ? refuse(reasons, value) : { ok: true, event: value };
}

function faultsOf(refused: unknown): readonly ErrorObject[] {
  const first = validate.errors ?? [];
  if (!hasAtMost(refused, partsLookedThrough)) return first;
  validateAll(refused);
  return validateAll.errors ?? first;
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

/** Parses and validates the value of a message on `consent.events.v1`. Never throws. */
export function parseEventMessage(bytes: Buffer | null): Validated {
  if (bytes === null || bytes.length === 0) return refuse([whole('empty', 'The message has no value.')]);
  if (bytes.length > maxEventBytes) return refuse([tooLarge(bytes.length)]);
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
  const result = validateEvent(value);
  if (!result.ok || !mayBeUnsafe(text)) return result;
  const unsafe = unsafeText(value);
  return unsafe === undefined ? result : refuse([unsafeReason(unsafe)], value);
}

/** The same rule for bodies that a web framework parsed. */
export function unsafeReason(path: string): Reason {
  return {
    field: path,
    code: 'unsafe_text',
    message: `${path === '' ? 'The message' : path} holds NUL or a lone surrogate, or a key __proto__ or constructor.`,
  };
}

function tooLarge(bytes: number): Reason {
  return whole('too_large', `The message has ${bytes} bytes; at most ${maxEventBytes} are allowed.`);
}

function whole(code: string, message: string): Reason {
  return { field: '', code, message };
}

function refuse(reasons: Reason[], value?: unknown): Validated {
  return { ok: false, reasons, organizationId: organizationOf(value) };
}

function organizationOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('organization_id' in value)) return undefined;
  const { organization_id: id } = value;
  return typeof id === 'string' && forms.organizationId.pattern.test(id) ? id : undefined;
}
