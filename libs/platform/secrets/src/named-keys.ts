import { randomBytes } from 'node:crypto';
import { ArrayNotEmpty, ArrayUnique, Matches } from 'class-validator';
import { SecretsError } from './errors';

/** A 256-bit key and the name under which it is written beside what was made with it. */
export interface NamedKey {
  readonly id: string;
  readonly key: Buffer;
}

const KEY_BYTES = 32;
const NAMED_KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/** Checks a `string[]` of `<name>:<base64 of 32 bytes>`; the messages never quote an item. */
export function NamedKeys(): PropertyDecorator {
  const rules = [
    ArrayNotEmpty(),
    Matches(NAMED_KEY, {
      each: true,
      message: 'each item must be <name>:<base64 of 32 bytes>, made for example by: openssl rand -base64 32',
    }),
    ArrayUnique((item: unknown) => String(item).split(':')[0], { message: 'two items have the same name' }),
  ];
  return (prototype, property) => rules.forEach((rule) => rule(prototype, property));
}

/**
 * Reads `<name>:<base64 of 32 bytes>` items, keeping their order.
 *
 * @throws SecretsError `invalid_key` naming the item's place, never its text
 */
export function parseNamedKeys(items: readonly string[]): readonly NamedKey[] {
  const keys = items.map((item, index) => {
    const [, id, text] = NAMED_KEY.exec(item) ?? [];
    if (id === undefined || text === undefined) {
      throw new SecretsError('invalid_key', `key ${index + 1} is not <name>:<base64 of 32 bytes>`);
    }
    return { id, key: Buffer.from(text, 'base64') };
  });
  if (keys.length === 0) throw new SecretsError('invalid_key', 'there is no key');
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new SecretsError('invalid_key', 'two keys have the same name');
  }
  return keys;
}

/** A new random key in the form {@link parseNamedKeys} reads. */
export function generateNamedKey(id: string): string {
  return `${id}:${randomBytes(KEY_BYTES).toString('base64')}`;
}
