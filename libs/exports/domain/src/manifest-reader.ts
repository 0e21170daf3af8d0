import { parsePositions } from './positions';
import type { Manifest } from './manifest';

/** A manifest as it was read, or what is wrong with it, each fault a sentence's part naming the field. */
export type ReadManifest = { manifest: Manifest; faults?: never } | { manifest?: never; faults: string[] };

type Check = (value: unknown, path: string, faults: string[]) => void;

const text: Check = (value, path, faults) => {
  if (typeof value !== 'string' || value === '') faults.push(`${path} must be a text`);
};
const count: Check = (value, path, faults) => {
  if (!Number.isSafeInteger(value) || Number(value) < 0) faults.push(`${path} must be a whole number from 0`);
};
const time: Check = (value, path, faults) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) faults.push(`${path} must be a time`);
};
const hash: Check = (value, path, faults) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) faults.push(`${path} must be a SHA-256`);
};
const positions: Check = (value, path, faults) => {
  try {
    parsePositions(value);
  } catch (error) {
    faults.push(`${path}: ${error instanceof Error ? error.message : 'not a position vector'}`);
  }
};
const orNull =
  (check: Check): Check =>
  (value, path, faults) => {
    if (value !== null) check(value, path, faults);
  };
const oneOf =
  (...values: unknown[]): Check =>
  (value, path, faults) => {
    if (!values.includes(value))
      faults.push(`${path} must be ${values.map((each) => JSON.stringify(each)).join(' or ')}`);
  };
const list =
  (check: Check): Check =>
  (value, path, faults) => {
    if (!Array.isArray(value)) faults.push(`${path} must be a list`);
    else value.forEach((item, index) => check(item, `${path}[${index}]`, faults));
  };
const object =
  (fields: Record<string, Check>): Check =>
  (value, path, faults) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      faults.push(`${path || 'the manifest'} must be an object`);
      return;
    }
    const members = new Map<string, unknown>(Object.entries(value));
    for (const [name, check] of Object.entries(fields))
      check(members.get(name), path === '' ? name : `${path}.${name}`, faults);
  };

const manifestShape = object({
  manifest_version: oneOf(1),
  run: text,
  organization_id: text,
  export_id: text,
  content: text,
  schema_version: count,
  date: text,
  window: object({ from: positions, to: positions, from_at: orNull(time), to_at: time }),
  complete_until: orNull(time),
  due_at: time,
  due_times: list(time),
  trigger: oneOf('schedule', 'manual'),
  files: list(object({ key: text, bytes: count, rows: count, sha256: hash })),
  totals: object({ files: count, bytes: count, rows: count, users: count, events: count }),
  previous: orNull(object({ run: text, sha256: hash })),
  missing: list(text),
  erased: list(text),
  signature: object({ algorithm: oneOf('Ed25519'), key_id: text, value: text }),
});

/** Reads the stored bytes of a manifest. Fields this version does not know are kept, since the signature covers them. */
export function readManifest(bytes: Uint8Array): ReadManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { faults: ['the manifest is not JSON'] };
  }
  const faults: string[] = [];
  manifestShape(value, '', faults);
  // The one place where a read value becomes a Manifest: its shape was checked field by field above.
  return faults.length > 0 ? { faults } : { manifest: value as Manifest };
}
