import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Place } from './ledger';

/** Position per partition, as manifests write it: what is not named is at the beginning. */
export type Positions = Readonly<Record<string, Readonly<Record<string, { epoch: number; offset: string }>>>>;

/** A line of a data file, as far as the oracle looks at it. */
export interface DeliveredLine {
  user: Record<string, unknown>;
  events: Record<string, unknown>[];
}

/** One run, by its manifest, with the lines of its files. */
export interface DeliveredRun {
  run: string;
  organizationId: string;
  exportId: string;
  folder: string;
  from: Positions;
  to: Positions;
  lines: DeliveredLine[];
}

/** Everything a consumer finds in one bucket below one export's prefix. */
export interface Delivery {
  runs: DeliveredRun[];
  /** What no correct delivery has: half files, files nobody lists, listed files that are not there. */
  faults: string[];
  /** Folders without `_SUCCESS`, which nobody may read yet. */
  unfinished: string[];
}

export interface FoundObject {
  key: string;
  bytes: number;
}

/** Where objects are. */
export interface ObjectSource {
  /** Objects whose keys begin with the prefix. */
  list(prefix: string): Promise<FoundObject[]>;
  read(key: string): Promise<Buffer>;
}

/** Reads an export back the way a customer's job does: folders with `_SUCCESS`, and in them all `.json.gz`. */
export async function readDelivery(source: ObjectSource, exportId: string): Promise<Delivery> {
  const keys = (await source.list(`data/export-id=${exportId}/`)).map(({ key }) => key);
  const folders = Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf('/') + 1));
  const delivery: Delivery = { runs: [], faults: [], unfinished: [] };
  for (const [folder, inside] of folders) {
    if (inside.includes(`${folder}_SUCCESS`)) await readFolder(source, folder, inside, delivery);
    else delivery.unfinished.push(folder);
  }
  return delivery;
}

/**
 * What stands beside a `_SUCCESS` at one moment and should not: files that no manifest lists, files of another size, and
 * listed files that are not there. Reads manifests only.
 */
export async function partialFiles(source: ObjectSource, exportId: string): Promise<string[]> {
  const objects = await source.list(`data/export-id=${exportId}/`);
  const folders = Map.groupBy(objects, ({ key }) => key.slice(0, key.lastIndexOf('/') + 1));
  const faults: string[] = [];
  for (const [folder, inside] of folders) {
    if (!inside.some(({ key }) => key === `${folder}_SUCCESS`)) continue;
    const listed = new Map<string, number>();
    for (const { key } of inside.filter((each) => isManifest(each.key))) {
      const manifest = JSON.parse((await source.read(key)).toString('utf8')) as ManifestJson;
      for (const file of manifest.files) listed.set(file.key, file.bytes);
    }
    const found = new Map(inside.filter(({ key }) => key.endsWith('.json.gz')).map(({ key, bytes }) => [key, bytes]));
    for (const [key, bytes] of found)
      if (listed.get(key) !== bytes)
        faults.push(`${key} (${bytes} bytes) stands beside _SUCCESS, and is not listed so`);
    for (const key of listed.keys())
      if (!found.has(key)) faults.push(`${key} is listed beside _SUCCESS, and not there`);
  }
  return faults;
}

function isManifest(key: string): boolean {
  return /\/_manifest-[^/]*\.json$/.test(key);
}

async function readFolder(
  source: ObjectSource,
  folder: string,
  keys: readonly string[],
  into: Delivery,
): Promise<void> {
  const files = keys.filter((key) => key.endsWith('.json.gz'));
  const lines = new Map<string, DeliveredLine[]>();
  const found = new Map<string, FoundFile>();
  for (const key of files) {
    const bytes = await source.read(key);
    const inFile = readLines(key, bytes, into.faults);
    lines.set(key, inFile);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    found.set(key, { bytes: bytes.length, rows: inFile.length, sha256 });
  }
  const listed = new Set<string>();
  for (const key of keys.filter(isManifest)) {
    const manifest = JSON.parse((await source.read(key)).toString('utf8')) as ManifestJson;
    for (const file of manifest.files) {
      if (listed.has(file.key)) into.faults.push(`${key} lists ${file.key}, which is listed already`);
      listed.add(file.key);
      const there = found.get(file.key);
      if (there === undefined) into.faults.push(`${key} lists ${file.key}, which is not there`);
      else if (!agrees(there, file)) into.faults.push(`${key} does not say of ${file.key} what is there`);
    }
    const inRun = manifest.files.flatMap((file) => lines.get(file.key) ?? []);
    if (!agrees(totalsOf(inRun, manifest.files), manifest.totals)) into.faults.push(`${key} does not add up`);
    into.runs.push({
      run: manifest.run,
      organizationId: manifest.organization_id,
      exportId: manifest.export_id,
      folder,
      from: manifest.window.from,
      to: manifest.window.to,
      lines: inRun,
    });
  }
  for (const key of files)
    if (!listed.has(key)) into.faults.push(`${key} stands beside _SUCCESS, and no manifest lists it`);
}

interface ManifestJson {
  run: string;
  organization_id: string;
  export_id: string;
  window: { from: Positions; to: Positions };
  files: ({ key: string } & FoundFile)[];
  totals: Totals;
}

interface FoundFile {
  bytes: number;
  rows: number;
  sha256: string;
}

interface Totals {
  files: number;
  bytes: number;
  rows: number;
  users: number;
  events: number;
}

function totalsOf(lines: readonly DeliveredLine[], files: readonly FoundFile[]): Totals {
  return {
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    rows: lines.length,
    users: new Set(lines.map(({ user }) => user['id'])).size,
    events: lines.reduce((sum, { events }) => sum + events.length, 0),
  };
}

/** Whether `told` says all that was found, whatever else it says. */
function agrees<T extends object>(there: T, told: T): boolean {
  const said = new Map(Object.entries(told));
  return Object.entries(there).every(([name, value]) => said.get(name) === value);
}

function readLines(key: string, bytes: Buffer, faults: string[]): DeliveredLine[] {
  try {
    const text = gunzipSync(bytes).toString('utf8');
    if (text !== '' && !text.endsWith('\n')) faults.push(`${key} ends within a line`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(parseLine);
  } catch (error) {
    faults.push(`${key} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function parseLine(text: string): DeliveredLine {
  const line = JSON.parse(text) as Partial<DeliveredLine> | null;
  if (typeof line?.user !== 'object' || !Array.isArray(line.events))
    throw new Error(`not a user with events: ${text.slice(0, 80)}`);
  return { user: line.user, events: line.events };
}

/** Whether a place lies before a position vector. */
export function isBefore(place: Place, positions: Positions, topic: string): boolean {
  const position = positions[topic]?.[String(place.partition)] ?? { epoch: 0, offset: '0' };
  return place.epoch < position.epoch || (place.epoch === position.epoch && place.offset < BigInt(position.offset));
}

export function isInside(place: Place, run: Pick<DeliveredRun, 'from' | 'to'>, topic: string): boolean {
  return !isBefore(place, run.from, topic) && isBefore(place, run.to, topic);
}
