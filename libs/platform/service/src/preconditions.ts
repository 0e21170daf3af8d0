import type { IncomingHttpHeaders } from 'node:http';

/** What the conditions of a request say: an answer without a body, or the headers that are left to be looked at. */
export type Conditions = 304 | 412 | IncomingHttpHeaders;

/**
 * Evaluates If-Match, If-None-Match and If-Range with an ETag, for GET and HEAD (RFC 9110 §13.2.2). What is about times
 * stays in the headers, but where an ETag was given, which counts before.
 * @param etag - strong: in quotes
 */
export function evaluateConditions(headers: IncomingHttpHeaders, etag: string): Conditions {
  const { 'if-match': match, 'if-none-match': noneMatch, 'if-range': ifRange, ...left } = headers;
  if (match !== undefined) {
    if (!tagsOf(match).some((tag) => tag === '*' || tag === etag)) return 412;
    delete left['if-unmodified-since'];
  }
  if (noneMatch !== undefined) {
    if (tagsOf(noneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) return 304;
    delete left['if-modified-since'];
  }
  if (ifRange === undefined) return left;
  const tag = String(ifRange).trim();
  if (!tag.includes('"')) return { ...left, 'if-range': tag };
  // Of another state of the file: the part would not fit to what the client has.
  if (tag !== etag) delete left.range;
  return left;
}

function tagsOf(list: string): string[] {
  return list.split(',').map((tag) => tag.trim());
}
