import type { IncomingHttpHeaders } from 'node:http';

/** What the conditions of a request say: an answer without a body; whether a part may be answered, or all only. */
export type Conditions = 304 | 412 | 'part' | 'whole';

/**
 * Evaluates If-Match, If-None-Match and If-Range with an ETag, for GET and HEAD (RFC 9110 §13.2.2). Conditions on times
 * say nothing of what has no Last-Modified (§13.1.3, §13.1.4), and never hold in If-Range (§13.1.5).
 * @param etag - strong: in quotes
 */
export function evaluateConditions(headers: IncomingHttpHeaders, etag: string): Conditions {
  const { 'if-match': match, 'if-none-match': noneMatch, 'if-range': ifRange } = headers;
  if (match !== undefined && !tagsOf(match).some((tag) => tag === '*' || tag === etag)) return 412;
  if (noneMatch !== undefined && tagsOf(noneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
    return 304;
  }
  // Of another state of the file: the part would not fit to what the client has.
  return ifRange === undefined || String(ifRange).trim() === etag ? 'part' : 'whole';
}

function tagsOf(list: string): string[] {
  return list.split(',').map((tag) => tag.trim());
}
