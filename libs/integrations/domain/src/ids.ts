import { randomInt } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const LENGTH = 10;

/** Also holds ids given out by an earlier generator: what may stand in a path and in a partition of the layout. */
const SHORT_ID = /^[0-9a-z]{1,32}$/;

/**
 * A new id of an integration or key, like `58g9gnu3b5`: 10 characters of base 36, so 3.6e15 of them. It is unique
 * within its organization by the table's key, and stands in the delivered paths as `export-id=`.
 */
export function newShortId(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}

/** Whether a value from a URL can be an id at all; saves a query, and keeps odd bytes away from the database. */
export function isShortId(value: string): boolean {
  return SHORT_ID.test(value);
}
