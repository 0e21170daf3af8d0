/** A part of a file; `end` is its last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const RANGE = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i;

/**
 * The part that a Range asks for (RFC 9110 §14.1.2). Several parts at once, other units and what is no valid range are
 * ignored, as a server may.
 * @returns undefined for all of the file
 */
export function byteRange(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [range, first, last, suffix] = RANGE.exec(header ?? '') ?? [];
  if (range === undefined) return undefined;
  if (suffix !== undefined) {
    if (Number(suffix) === 0) return 'unsatisfiable';
    // Longer than the file: all of it.
    return Number(suffix) >= bytes ? undefined : { start: bytes - Number(suffix), end: bytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= bytes ? 'unsatisfiable' : { start, end };
}
