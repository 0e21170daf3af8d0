import { badRequest } from '@delivery/platform/auth';

/** A query string as Fastify parses it. */
export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** @throws 400 when the parameter is given more than once. */
export function single(query: Query, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value))
    throw badRequest(`${name} may be given once only.`, [{ field: name, message: 'given more than once' }]);
  return value === '' ? undefined : value;
}

/** `name=a`, or `name[$in]=a&name[$in]=b` (contracts §1.2). @throws 400 for a value that is not allowed. */
export function choices(
  query: Query,
  name: string,
  fallback: readonly string[],
  allowed?: readonly string[],
): string[] {
  const given = [query[name], query[`${name}[$in]`], query[`${name}[$in][]`]]
    .flat()
    .filter((v) => v !== undefined && v !== '');
  const wrong = allowed && given.find((value) => !allowed.includes(String(value)));
  if (wrong !== undefined) {
    throw badRequest(`${name} must be one of ${allowed?.join(', ')}.`, [
      { field: name, message: `"${wrong}" is not one of ${allowed?.join(', ')}` },
    ]);
  }
  return given.length > 0 ? given.map(String) : [...fallback];
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
  const limit = Number(single(query, '$limit') ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
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
