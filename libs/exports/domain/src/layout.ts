import type { Dataset } from './dataset';
import { ExportFault } from './errors';

const EXTENSIONS = { gzip: '.gz', zstd: '.zst', none: '' } as const;

export type Compression = keyof typeof EXTENSIONS;

export function isCompression(name: string): name is Compression {
  return Object.hasOwn(EXTENSIONS, name);
}

/** Where a dataset's files go. All runs of one integration on one day share a folder; their file names differ. */
export function layoutOf(dataset: Dataset, compression: Compression): string {
  return `data/export-id={id}/date={date}/${dataset}/{run}-{n}.json${EXTENSIONS[compression]}`;
}

export interface LayoutValues {
  /** The integration's id. */
  readonly id: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly run: string;
}

/** All keys of one run: a pure function of the run and the file's number (rule 14). */
export interface RunKeys {
  /** Ends with "/". */
  readonly folder: string;
  /** What every data file's key begins with, and no other run's. */
  readonly filePrefix: string;
  file(number: number): string;
  readonly manifest: string;
  readonly success: string;
}

export const SUCCESS_NAME = '_SUCCESS';
export const MAX_FILES = 1_000_000;

const FOLDER_NAMES = new Set(['id', 'date']);
const SAFE_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const LITERAL = /^[A-Za-z0-9=_.-]*$/;
const FILE_BEGINNING = '{run}-{n}.';

/**
 * Fills a layout in. Values may hold letters, digits and inner dots, dashes and underscores only, and "." and ".."
 * cannot be segments: no value can leave its place, whatever it is.
 *
 * @throws ExportFault `invalid_layout`, `invalid_layout_value`
 */
export function runKeys(template: string, values: LayoutValues): RunKeys {
  assertLayout(template);
  const cut = template.lastIndexOf('/') + 1;
  const folder = fill(template.slice(0, cut), values);
  const suffix = template.slice(cut + FILE_BEGINNING.length - 1);
  const run = safe('run', values.run);
  return {
    folder,
    filePrefix: `${folder}${run}-`,
    file: (number) => `${folder}${run}-${fileNumber(number)}${suffix}`,
    manifest: `${folder}_manifest-${run}.json`,
    success: `${folder}${SUCCESS_NAME}`,
  };
}

/** What the keys of all runs of an integration begin with, whatever their date. @throws ExportFault as `runKeys` */
export function exportPrefix(template: string, id: string): string {
  assertLayout(template);
  const cut = template.search(/[^/]*\{date\}/);
  return template.slice(0, cut < 0 ? template.lastIndexOf('/') + 1 : cut).replaceAll('{id}', () => safe('id', id));
}

/** The run whose manifest this key is, or `undefined` when it is not a manifest's key. */
export function runOfManifestKey(key: string): string | undefined {
  return /(?:^|\/)_manifest-([A-Za-z0-9._-]+)\.json$/.exec(key)?.[1];
}

/** @throws ExportFault `invalid_layout` saying what to change */
export function assertLayout(template: string): void {
  const segments = template.split('/');
  const file = segments.pop() ?? '';
  if (!file.startsWith(FILE_BEGINNING)) {
    throw invalid(`the file name must begin with "${FILE_BEGINNING}", so that runs never share a key`);
  }
  if (segments.length === 0) throw invalid('files need a folder');
  assertSegment(file.slice(FILE_BEGINNING.length), new Set());
  for (const segment of segments) {
    assertSegment(segment, FOLDER_NAMES);
    if (/^\.*$/.test(segment)) throw invalid(`"${segment}" is not a folder`);
  }
}

function assertSegment(segment: string, names: ReadonlySet<string>): void {
  const literal = segment.replace(/\{([^{}]*)\}/g, (placeholder, name: string) => {
    if (!names.has(name)) throw invalid(`"${placeholder}" is not possible here`);
    return '';
  });
  if (!LITERAL.test(literal)) throw invalid(`"${segment}" may hold letters, digits and "=", "_", ".", "-" only`);
}

function fill(template: string, values: LayoutValues): string {
  return template.replaceAll('{id}', () => safe('id', values.id)).replaceAll('{date}', () => safe('date', values.date));
}

function safe(name: string, value: string): string {
  if (SAFE_VALUE.test(value) && value.length <= 128) return value;
  throw new ExportFault('invalid_layout_value', `The value of {${name}} may hold letters, digits, ".", "_", "-" only.`);
}

function fileNumber(number: number): string {
  if (!Number.isInteger(number) || number < 0 || number >= MAX_FILES) {
    throw new ExportFault('invalid_split', `A run may have ${MAX_FILES} files at most: raise the limits of a file.`);
  }
  return String(number).padStart(6, '0');
}

function invalid(message: string): ExportFault {
  return new ExportFault('invalid_layout', `Not a layout: ${message}.`);
}
