import type { DestinationReader } from '@delivery/destinations/driver';
import {
  type FoundManifest,
  type ManifestSignature,
  runOfManifestKey,
  type SignatureVerdict,
  storedManifest,
  type StrayRun,
  SUCCESS_NAME,
  verifyManifest,
} from '@delivery/exports/domain';
import type { IntegrationKey } from '@delivery/exports/store';

/** What lies in a bucket of one integration. */
export interface FoundDeliveries {
  readonly manifests: readonly FoundManifest[];
  readonly strays: readonly StrayRun[];
  /** Manifests that cannot be trusted, a sentence each: what they delivered is not known. */
  readonly faults: readonly string[];
}

export interface FindDeps {
  readonly reader: DestinationReader;
  readonly verifySignature: (input: Buffer, signature: ManifestSignature) => SignatureVerdict;
  readonly signal: AbortSignal;
}

const DATA_FILE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{6})\./;
const DATE = /(?:^|\/)date=(\d{4}-\d{2}-\d{2})\//;

/** Lists the keys that begin with `prefix` and reads the manifests among them. @throws DestinationError */
export async function findDeliveries(deps: FindDeps, key: IntegrationKey, prefix: string): Promise<FoundDeliveries> {
  const keys: string[] = [];
  for await (const object of deps.reader.list(prefix, deps.signal)) keys.push(object.key);
  const complete = new Set(keys.filter((each) => nameOf(each) === SUCCESS_NAME).map(folderOf));
  const manifests: FoundManifest[] = [];
  const faults: string[] = [];
  const told = new Set<string>();
  for (const each of keys) {
    const run = runOfManifestKey(each);
    if (run === undefined) continue;
    told.add(run);
    const found = await readManifestAt(deps, key, each, run);
    if ('manifest' in found) manifests.push({ ...found, key: each, complete: complete.has(folderOf(each)) });
    else faults.push(...found.faults.map((fault) => `${each} ${fault}`));
  }
  return { manifests, faults, strays: straysOf(keys, told) };
}

async function readManifestAt(
  deps: FindDeps,
  { organizationId, integrationId }: IntegrationKey,
  key: string,
  run: string,
) {
  const source = await deps.reader.read(key, deps.signal);
  if (source === undefined) return { faults: ['disappeared while it was read'] };
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const { manifest, faults } = verifyManifest(bytes, deps.verifySignature);
  if (manifest === undefined || faults.length > 0) return { faults };
  const { organization_id: organization, export_id: integration } = manifest;
  if (manifest.run !== run) return { faults: [`is the manifest of another run, ${manifest.run}`] };
  if (organization !== organizationId || integration !== integrationId) {
    return { faults: [`is of export ${integration} of ${organization}`] };
  }
  return storedManifest(manifest, bytes);
}

/** Runs with files and without a manifest. */
function straysOf(keys: readonly string[], told: ReadonlySet<string>): StrayRun[] {
  const strays = new Map<string, StrayRun>();
  for (const key of keys) {
    const [, run, number] = DATA_FILE.exec(nameOf(key)) ?? [];
    const date = DATE.exec(key)?.[1];
    if (run === undefined || date === undefined || told.has(run)) continue;
    const files = Math.max(strays.get(run)?.files ?? 0, Number(number) + 1);
    strays.set(run, { run, date, files });
  }
  return [...strays.values()];
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
