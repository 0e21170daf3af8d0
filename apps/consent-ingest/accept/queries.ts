import { type ApiException, badRequest } from '@delivery/platform/auth';

export const json = 'application/json; charset=utf-8';

/** A query string as Fastify parses it. */
export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Parameters of any list. The tree is always whole here; asked for it, the request counts (see the rate limit). */
const ofEveryList = ['organization_id', '$limit', '$cursor', '$include_full_tree'];

/**
 * A filter with a typo must not answer with everything.
 * @param filters those of the list; `severalOf` may also be given as `name[$in]`
 * @throws 400 naming each parameter that the list does not know
 */
export function onlyKnown(query: Query, filters: readonly string[], severalOf: readonly string[] = []): void {
  const known = [...ofEveryList, ...filters, ...severalOf.flatMap(spellings)];
  // The API key may come in the query, in any case.
  const unknown = Object.keys(query).filter((name) => !known.includes(name) && name.toLowerCase() !== 'apikey');
  if (unknown.length === 0) return;
  throw badRequest(
    'The parameters of the list are not valid: see errors.',
    unknown.map((field) => ({ field, message: 'is not a parameter of this list' })),
  );
}

function spellings(name: string): string[] {
  return [name, `${name}[$in]`, `${name}[$in][]`];
}

/** @throws 400 when the parameter is given more than once, or a filter is empty: it would answer with everything. */
export function single(query: Query, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value))
    throw badRequest(`${name} may be given once only.`, [{ field: name, message: 'given more than once' }]);
  if (value !== '') return value;
  if (name.startsWith('$')) return undefined;
  throw empty(name);
}

/** `name=a`, or `name[$in]=a&name[$in]=b` (contracts §1.2). @throws 400 for a value that is not allowed. */
export function choices(
  query: Query,
  name: string,
  fallback: readonly string[],
  allowed?: readonly string[],
): string[] {
  const given = spellings(name)
    .flatMap((spelling) => query[spelling])
    .filter((value) => value !== undefined);
  if (given.includes('')) throw empty(name);
  const wrong = allowed && given.find((value) => !allowed.includes(value));
  if (wrong !== undefined) {
    throw badRequest(`${name} must be one of ${allowed?.join(', ')}.`, [
      { field: name, message: `must be one of ${allowed?.join(', ')}` },
    ]);
  }
  return given.length > 0 ? given : [...fallback];
}

function empty(name: string): ApiException {
  return badRequest(`${name} is empty: give a value, or leave it out.`, [{ field: name, message: 'is empty' }]);
}

export function flag(query: Query, name: string): boolean {
  const value = single(query, name);
  if (value !== undefined && value !== 'true' && value !== 'false') {
    throw badRequest(`${name} must be true or false.`, [{ field: name, message: 'must be true or false' }]);
  }
  return value === 'true';
}

/** `$limit`, at most 100, and `$cursor`, which only the platform can make. */
export function pageRequest(query: Query): { limit: number; after: string | undefined } {
  const asked = single(query, '$limit') ?? '100';
  const limit = /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  if (limit < 1 || limit > 100) {
    throw badRequest('$limit must be a whole number from 1 to 100.', [
      { field: '$limit', message: 'must be from 1 to 100' },
    ]);
  }
  const cursor = single(query, '$cursor');
  return { limit, after: cursor === undefined ? undefined : fromCursor(cursor) };
}

export function toCursor(key: string): string {
  return Buffer.from(JSON.stringify([1, key])).toString('base64url');
}

function fromCursor(cursor: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed[0] === 1 && typeof parsed[1] === 'string' && !parsed[1].includes('\0'))
      return parsed[1];
  } catch {
    // told below
  }
  throw badRequest('$cursor is not one of ours: use the cursor of the page before.', [
    { field: '$cursor', message: 'not a cursor' },
  ]);
}

/** A page of finished JSON documents, without parsing them. */
export function pageBody(documents: readonly string[], limit: number, next: string | undefined): string {
  const cursor = next === undefined ? null : toCursor(next);
  return `{"data":[${documents.join(',')}],"limit":${limit},"cursor":${JSON.stringify(cursor)}}`;
}
