import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from './canonical-json';
import type { PositionsJson } from './positions';
import type { RunTrigger } from './results';

// Type aliases rather than interfaces: only those are assignable to JSON values, so nothing has to be cast to be signed.
export type ManifestFile = {
  key: string;
  /** As stored, that is compressed. */
  bytes: number;
  /** Lines. */
  rows: number;
  /** Of the stored bytes, lower case hexadecimal. */
  sha256: string;
};

export type ManifestTotals = {
  files: number;
  bytes: number;
  rows: number;
  users: number;
  events: number;
};

export type UnsignedManifest = {
  manifest_version: 1;
  run: string;
  organization_id: string;
  export_id: string;
  content: string;
  /** Of the delivered lines. */
  schema_version: number;
  date: string;
  window: { from: PositionsJson; to: PositionsJson; from_at: string | null; to_at: string };
  /** All events that arrived before this time are in this run or in earlier ones; `null` when that cannot be said. */
  complete_until: string | null;
  due_at: string;
  /** All due times that this run stands for: several when the platform was down. */
  due_times: string[];
  trigger: RunTrigger;
  files: ManifestFile[];
  totals: ManifestTotals;
  /** The run completed before this one, and the SHA-256 of its manifest's bytes. */
  previous: { run: string; sha256: string } | null;
  /** Earlier runs that are not delivered. */
  missing: string[];
  /** People erased since the run before, as hashed keys. */
  erased: string[];
};

export type ManifestSignature = {
  algorithm: 'Ed25519';
  key_id: string;
  /** Base64. */
  value: string;
};

export type Manifest = UnsignedManifest & { signature: ManifestSignature };

/** The bytes a manifest's signature covers: its canonical form without the signature. */
export function signingInput(manifest: UnsignedManifest | Manifest): Buffer {
  const members: [string, JsonValue][] = Object.entries(manifest);
  const unsigned = members.filter(([name]) => name !== 'signature');
  return Buffer.from(canonicalJson(Object.fromEntries(unsigned)));
}

/** The stored bytes of a signed manifest: canonical, so that the same run writes the same bytes. */
export function manifestBytes(manifest: Manifest): Buffer {
  return Buffer.from(`${canonicalJson(manifest)}\n`);
}

/** What `previous.sha256` of the next manifest holds: as `sha256sum` prints it for the stored file. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The sums over a run's files, beside what was counted in them. */
export function totalsOf(
  files: readonly ManifestFile[],
  { users, events }: { users: number; events: number },
): ManifestTotals {
  const sum = (value: (file: ManifestFile) => number): number => files.reduce((total, file) => total + value(file), 0);
  return { files: files.length, bytes: sum((file) => file.bytes), rows: sum((file) => file.rows), users, events };
}
