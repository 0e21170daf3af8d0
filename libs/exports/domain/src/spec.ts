import type { Dataset } from './dataset';
import { ExportFault } from './errors';
import { assertLayout, type Compression, isCompression, layoutOf } from './layout';
import { assertSplitLimits, type SplitLimits } from './split';

/** What shapes the bytes of a run, frozen in its row when it is planned (rule 12). */
export interface ExportSpec {
  readonly format: 'ndjson';
  readonly compression: Compression;
  readonly encryption: 'none';
  readonly layout: string;
  readonly split: SplitLimits;
  /** Whether users without an organization user id are delivered too (contracts.md §1.6, D-24). */
  readonly includeGuests: boolean;
}

/** As it is stored in rows. */
export interface ExportSpecJson {
  format: string;
  compression: string;
  encryption: string;
  layout: string;
  max_rows?: number;
  max_bytes?: number;
  include_guests: boolean;
}

/** One file holds 512 MiB before compression at most: about 130 MB of gzip, a size that query engines like. */
export const DEFAULT_SPEC: ExportSpec = Object.freeze({
  format: 'ndjson',
  compression: 'gzip',
  encryption: 'none',
  layout: layoutOf('users', 'gzip'),
  split: Object.freeze({ maxBytes: 512 * 1024 * 1024 }),
  includeGuests: false,
});

/** The spec of a new integration. */
export function specOf(dataset: Dataset, compression: Compression): ExportSpec {
  return { ...DEFAULT_SPEC, compression, layout: layoutOf(dataset, compression) };
}

export function formatSpec({ split, includeGuests, ...spec }: ExportSpec): ExportSpecJson {
  return {
    ...spec,
    ...(split.maxRows === undefined ? {} : { max_rows: split.maxRows }),
    ...(split.maxBytes === undefined ? {} : { max_bytes: split.maxBytes }),
    include_guests: includeGuests,
  };
}

/**
 * Reads a stored spec. A row may have been written by a later version of the platform: what this one cannot do exactly
 * is refused, never approximated.
 *
 * @throws ExportFault `unsupported_spec`, `invalid_layout`, `invalid_split`
 */
export function parseSpec(json: ExportSpecJson): ExportSpec {
  const { format, compression, encryption, layout, max_rows: maxRows, max_bytes: maxBytes } = json;
  if (format !== 'ndjson') throw unsupported('format', format);
  if (!isCompression(compression)) throw unsupported('compression', compression);
  if (encryption !== 'none') throw unsupported('encryption', encryption);
  const split = { ...(maxRows === undefined ? {} : { maxRows }), ...(maxBytes === undefined ? {} : { maxBytes }) };
  assertLayout(layout);
  assertSplitLimits(split);
  return { format, compression, encryption, layout, split, includeGuests: json.include_guests };
}

function unsupported(what: string, value: string): ExportFault {
  return new ExportFault('unsupported_spec', `This version does not know the ${what} "${value}".`);
}
