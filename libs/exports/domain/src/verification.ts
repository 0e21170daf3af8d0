import { readManifest } from './manifest-reader';
import { type Manifest, type ManifestFile, type ManifestSignature, sha256, signingInput, totalsOf } from './manifest';
import { behind, hasReached, parsePositions, samePositions } from './positions';

export type SignatureVerdict = 'valid' | 'invalid' | 'unknown_key';

/** @returns the manifest when it can be read, and every reason not to trust it */
export function verifyManifest(
  bytes: Uint8Array,
  verifySignature: (input: Buffer, signature: ManifestSignature) => SignatureVerdict,
): { manifest?: Manifest; faults: string[] } {
  const { manifest, faults } = readManifest(bytes);
  if (faults !== undefined) return { faults };
  return { manifest, faults: [...signatureFaults(manifest, verifySignature), ...contentFaults(manifest)] };
}

function signatureFaults(
  manifest: Manifest,
  verifySignature: (input: Buffer, signature: ManifestSignature) => SignatureVerdict,
): string[] {
  const verdict = verifySignature(signingInput(manifest), manifest.signature);
  if (verdict === 'valid') return [];
  if (verdict === 'unknown_key') return [`is signed with the key "${manifest.signature.key_id}", which was not given`];
  return ['has a signature that does not fit: it was changed after it was signed, or signed with another key'];
}

/** Contradictions inside one manifest. */
function contentFaults(manifest: Manifest): string[] {
  const faults: string[] = [];
  const { users, events, ...sums } = totalsOf(manifest.files, manifest.totals);
  for (const name of ['files', 'bytes', 'rows'] as const) {
    if (manifest.totals[name] !== sums[name]) {
      faults.push(`states ${manifest.totals[name]} ${name} in total, but lists ${sums[name]}`);
    }
  }
  // Lines that are single events count no users.
  if (users > sums.rows || (users === 0 && sums.rows !== events))
    faults.push(`states ${users} users in ${sums.rows} lines`);
  if (events > 0 && sums.rows === 0) faults.push(`states ${events} events in no line`);
  const keys = manifest.files.map(({ key }) => key);
  if (new Set(keys).size !== keys.length) faults.push('lists a file twice');
  if (behind(parsePositions(manifest.window.to), parsePositions(manifest.window.from)).length > 0) {
    faults.push('has a window that runs backwards');
  }
  return faults;
}

/** What was found when a data file was read to its end. */
export interface FoundFile {
  bytes: number;
  rows: number;
  sha256: string;
}

/** How a stored file differs from what the manifest says; empty when it does not. */
export function fileFaults(expected: ManifestFile, found: FoundFile | undefined): string[] {
  if (found === undefined) return ['is missing'];
  const faults: string[] = [];
  if (found.bytes !== expected.bytes) faults.push(`has ${found.bytes} bytes instead of ${expected.bytes}`);
  if (found.sha256 !== expected.sha256) faults.push(`has the SHA-256 ${found.sha256} instead of ${expected.sha256}`);
  if (found.rows !== expected.rows) faults.push(`has ${found.rows} lines instead of ${expected.rows}`);
  return faults;
}

export interface StoredManifest {
  manifest: Manifest;
  /** Of the stored bytes. */
  sha256: string;
}

/** `stored` bytes and the manifest read from them. */
export function storedManifest(manifest: Manifest, stored: Uint8Array): StoredManifest {
  return { manifest, sha256: sha256(stored) };
}

/**
 * How the deliveries of one export fit together: each names the one before with its hash, and their windows tile the
 * log. What lies outside of the bucket (expired deliveries, runs still missing) is a note, not a fault.
 */
export function verifyChain(stored: readonly StoredManifest[]): { faults: string[]; notes: string[] } {
  const links = linkFaults(stored);
  const windows = tilingFaults(stored);
  return { faults: [...links.faults, ...windows.faults], notes: [...links.notes, ...windows.notes] };
}

function linkFaults(stored: readonly StoredManifest[]): { faults: string[]; notes: string[] } {
  const faults: string[] = [];
  const notes: string[] = [];
  const byRun = new Map(stored.map((each) => [each.manifest.run, each]));
  const successors = new Map<string, Manifest>();
  for (const { manifest } of stored) {
    const { run, previous } = manifest;
    const before = previous === null ? undefined : byRun.get(previous.run);
    if (previous !== null && before === undefined)
      notes.push(`run ${run} follows run ${previous.run}, which is no longer here`);
    if (previous !== null && before !== undefined && before.sha256 !== previous.sha256) {
      faults.push(`run ${run} follows a manifest of run ${previous.run} that differs from the one stored`);
    }
    const place = previous?.run ?? 'the beginning';
    const sibling = successors.get(place);
    if (sibling !== undefined && !sibling.missing.includes(run) && !manifest.missing.includes(sibling.run)) {
      faults.push(`runs ${sibling.run} and ${run} both follow ${previous === null ? place : `run ${place}`}`);
    }
    successors.set(place, manifest);
  }
  return { faults, notes };
}

function tilingFaults(stored: readonly StoredManifest[]): { faults: string[]; notes: string[] } {
  const faults: string[] = [];
  const notes: string[] = [];
  const delivered = new Set(stored.map(({ manifest }) => manifest.run));
  const missing = new Set(stored.flatMap(({ manifest }) => manifest.missing).filter((run) => !delivered.has(run)));
  const windows = stored
    .map(({ manifest: { run, window } }) => ({ run, from: parsePositions(window.from), to: parsePositions(window.to) }))
    .sort((a, b) => (samePositions(a.from, b.from) ? order(a.to, b.to) : order(a.from, b.from)));
  windows.slice(1).forEach((window, index) => {
    const before = windows[index];
    if (before === undefined || samePositions(before.to, window.from)) return;
    if (!hasReached(window.from, before.to)) {
      faults.push(`the windows of runs ${before.run} and ${window.run} overlap`);
    } else if (missing.size === 0) {
      faults.push(`between the windows of runs ${before.run} and ${window.run} there is a gap that no manifest names`);
    }
  });
  for (const run of missing) notes.push(`run ${run} is named as missing and not delivered yet`);
  return { faults, notes };
}

function order(a: ReturnType<typeof parsePositions>, b: ReturnType<typeof parsePositions>): number {
  if (samePositions(a, b)) return 0;
  return hasReached(b, a) ? -1 : 1;
}
