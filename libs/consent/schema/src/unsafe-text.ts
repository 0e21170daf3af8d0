import type { Reason } from './reasons';

/** Keys that a careless reader of the delivered files could use to reach an object's prototype. */
const forbiddenKeys = new Set(['__proto__', 'constructor']);

/** Reasons name no path longer than this: keys are the sender's. */
const longestPath = 200;

/**
 * The path of the first text that no database or file should be given: NUL, a lone surrogate; for a key of that kind or
 * a forbidden one, the path of its object. Undefined when there is none.
 */
export function unsafeText(value: unknown): string | undefined {
  return find(value, '')?.slice(0, longestPath).toWellFormed();
}

/**
 * Whether JSON text could hold unsafe text at all, told without parsing: UTF-8 and JSON leave NUL and lone surrogates
 * no way in but an escape.
 */
export function mayBeUnsafe(json: string | Buffer): boolean {
  return json.includes('\\u') || json.includes('__proto__') || json.includes('"constructor"');
}

/** What is told of {@link unsafeText}. */
export function unsafeReason(path: string): Reason {
  return {
    field: path,
    code: 'unsafe_text',
    message: `${path === '' ? 'The message' : path} holds NUL or a lone surrogate, or a key __proto__ or constructor.`,
  };
}

function find(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return isSafe(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (forbiddenKeys.has(key) || !isSafe(key)) return path;
    const found = find(inner, path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSafe(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
