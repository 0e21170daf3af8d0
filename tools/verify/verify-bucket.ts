import { basename } from 'node:path';
import type { DestinationReader } from '@delivery/destinations/driver';
import {
  fileFaults,
  type Manifest,
  type ManifestSignature,
  runOfManifestKey,
  type SignatureVerdict,
  type StoredManifest,
  storedManifest,
  SUCCESS_NAME,
  verifyChain,
  verifyManifest,
} from '@delivery/exports/domain';
import { readDataFile } from './read-data-file';

/** A difference between what lies in the bucket and what its manifests say. */
export interface Difference {
  /** The key, or the export it is about; empty for all that was looked at. */
  where: string;
  what: string;
}

export interface VerifiedRun {
  run: string;
  organization: string;
  export: string;
  folder: string;
  files: number;
  bytes: number;
  rows: number;
  users: number;
  events: number;
  complete_until: string | null;
}

export interface Verdict {
  verified: boolean;
  runs: VerifiedRun[];
  differences: Difference[];
  /** What is no difference, but worth knowing. */
  notes: Difference[];
}

export interface VerifyDeps {
  readonly reader: DestinationReader;
  readonly verifySignature: (input: Buffer, signature: ManifestSignature) => SignatureVerdict;
  readonly signal: AbortSignal;
  /** Told of each object that is read. */
  readonly onRead?: (key: string) => void;
}

const DATA_FILE = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-\d{6}\./;

/** Checks every delivery whose keys begin with `prefix` against its manifest, and the deliveries of each export together. */
export async function verifyBucket(deps: VerifyDeps, prefix: string): Promise<Verdict> {
  const verdict: Verdict = { verified: false, runs: [], differences: [], notes: [] };
  const stored: StoredManifest[] = [];
  for (const [folder, names] of await listFolders(deps, prefix)) {
    stored.push(...(await verifyFolder(deps, folder, names, verdict)));
  }
  if (stored.length === 0 && verdict.differences.length === 0) {
    const what = 'holds no delivery (yet): nothing in it is a manifest, a file of a run or _SUCCESS';
    verdict.differences.push({ where: prefix, what });
  }
  for (const [where, manifests] of byExport(stored)) {
    const { faults, notes } = verifyChain(manifests);
    verdict.differences.push(...faults.map((what) => ({ where, what })));
    verdict.notes.push(...notes.map((what) => ({ where, what })));
  }
  verdict.verified = verdict.differences.length === 0;
  return verdict;
}

/** Names of what runs write, by folder. Other people's objects are none of our business. */
async function listFolders({ reader, signal }: VerifyDeps, prefix: string): Promise<Map<string, Set<string>>> {
  const folders = new Map<string, Set<string>>();
  for await (const { key } of reader.list(prefix, signal)) {
    const name = basename(key);
    if (name !== SUCCESS_NAME && runOfManifestKey(key) === undefined && !DATA_FILE.test(name)) continue;
    const folder = key.slice(0, key.length - name.length);
    folders.set(folder, (folders.get(folder) ?? new Set()).add(name));
  }
  return folders;
}

async function verifyFolder(
  deps: VerifyDeps,
  folder: string,
  names: ReadonlySet<string>,
  verdict: Verdict,
): Promise<StoredManifest[]> {
  const stored: StoredManifest[] = [];
  const listed = new Set<string>();
  for (const name of [...names].sort()) {
    const run = runOfManifestKey(name);
    if (run === undefined) continue;
    const manifest = await verifyRun(deps, folder, name, run, verdict);
    if (manifest === undefined) continue;
    stored.push(manifest);
    for (const { key } of manifest.manifest.files) listed.add(basename(key));
  }
  const runs = new Set(stored.map(({ manifest }) => manifest.run));
  for (const name of names) {
    const run = DATA_FILE.exec(name)?.[1];
    if (run === undefined || listed.has(name)) continue;
    const what = runs.has(run)
      ? `is not in the manifest of run ${run}`
      : `is of run ${run}, which has no manifest here`;
    verdict.differences.push({ where: `${folder}${name}`, what });
  }
  if (!names.has(SUCCESS_NAME)) {
    verdict.differences.push({ where: folder, what: `has no ${SUCCESS_NAME}: a delivery is under way or failed` });
  } else if (stored.length === 0) {
    verdict.differences.push({ where: folder, what: `has ${SUCCESS_NAME} but no manifest that can be read` });
  }
  return stored;
}

async function verifyRun(
  deps: VerifyDeps,
  folder: string,
  name: string,
  run: string,
  verdict: Verdict,
): Promise<StoredManifest | undefined> {
  const where = `${folder}${name}`;
  const bytes = await readAll(deps, where);
  if (bytes === undefined) {
    verdict.differences.push({ where, what: 'disappeared while it was verified' });
    return undefined;
  }
  const { manifest, faults } = verifyManifest(bytes, deps.verifySignature);
  verdict.differences.push(...faults.map((what) => ({ where, what })));
  if (manifest === undefined) return undefined;
  if (manifest.run !== run)
    verdict.differences.push({ where, what: `is the manifest of another run, ${manifest.run}` });
  await verifyFiles(deps, folder, manifest, verdict);
  verdict.runs.push(describe(folder, manifest));
  return storedManifest(manifest, bytes);
}

/** Files are looked for beside their manifest, so that a copy of a bucket can be verified wherever it lies. */
async function verifyFiles(deps: VerifyDeps, folder: string, manifest: Manifest, verdict: Verdict): Promise<void> {
  for (const file of manifest.files) {
    const where = `${folder}${basename(file.key)}`;
    deps.onRead?.(where);
    const { found, faults } = await readDataFile(deps.reader, where, deps.signal);
    for (const what of [...fileFaults(file, found), ...faults]) verdict.differences.push({ where, what });
  }
}

async function readAll({ reader, signal, onRead }: VerifyDeps, key: string): Promise<Buffer | undefined> {
  onRead?.(key);
  const source = await reader.read(key, signal);
  if (source === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function byExport(stored: readonly StoredManifest[]): Map<string, StoredManifest[]> {
  const exports = new Map<string, StoredManifest[]>();
  for (const each of stored) {
    const name = `export ${each.manifest.export_id} of ${each.manifest.organization_id}`;
    exports.set(name, [...(exports.get(name) ?? []), each]);
  }
  return exports;
}

function describe(folder: string, manifest: Manifest): VerifiedRun {
  const { run, organization_id: organization, export_id, totals, complete_until } = manifest;
  return { run, organization, export: export_id, folder, ...totals, complete_until };
}
