import { ExportFault } from './errors';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * The canonical text of a JSON value (RFC 8785): equal values are equal texts, so that a signature or a hash covers
 * the value and not its spelling.
 *
 * @throws ExportFault `not_canonical` for what JSON cannot carry: a lone surrogate, NaN, an infinity
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return canonicalText(value);
  if (typeof value === 'number') {
    // RFC 8785 writes numbers as ECMAScript does, and -0 as 0; JSON.stringify does both.
    if (!Number.isFinite(value)) throw notCanonical(`${value} is not a JSON number`);
    return JSON.stringify(value);
  }
  if (typeof value === 'boolean' || value === null) return String(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  // RFC 8785 sorts names by UTF-16 code units, which is what comparing strings does.
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${canonicalText(name)}:${canonicalJson(member)}`).join(',')}}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function canonicalText(text: string): string {
  if (!text.isWellFormed()) throw notCanonical('a text holds half a surrogate pair');
  return JSON.stringify(text);
}

function notCanonical(message: string): ExportFault {
  return new ExportFault('not_canonical', `No canonical JSON: ${message}.`);
}
