import {
  type ManifestFile,
  manifestBytes,
  formatPositions,
  parseSpec,
  runKeys,
  sha256,
  signingInput,
  totalsOf,
  type UnsignedManifest,
} from '@delivery/exports/domain';
import type { Delivery } from './delivery';

/** Aborts what earlier attempts of this run began to upload and did not finish. */
export async function sweepUploads({ destination, run, keys, lease }: Delivery): Promise<void> {
  await destination.abortUnfinished({ keyPrefix: keys.filePrefix, uploads: run.uploads, signal: lease.signal });
}

/** From here on the folder is not complete: a run of the same day may have said that it was. */
export async function withdrawSuccess({ destination, keys, lease }: Delivery): Promise<void> {
  await destination.deleteObject(keys.success, lease.signal);
}

export interface Chain {
  previous: { run: string; sha256: string } | undefined;
  /** Earlier runs that are not delivered. */
  missing: string[];
}

/** The last look at who holds the run, before the manifest says that its files are the run's. */
export async function passFence({ deps, run, lease }: Delivery): Promise<Chain> {
  lease.assertHeld();
  const sentAt = performance.now();
  const fence = await deps.attempts.fence(deps.database, run, lease.leaseSeconds);
  if (fence.hold === 'lost') lease.lose('another attempt or nobody has it');
  else lease.renewed(sentAt);
  lease.assertHeld();
  const missing = await deps.runs.listMissing(deps.database, run, run.sequence);
  return { previous: fence.hold === 'held' ? fence.previous : undefined, missing };
}

/**
 * Removes files of earlier attempts that had more of them than this one has, and uploads that the store began without
 * its answer ever arriving: no later attempt would.
 */
export async function removeLeftovers({ destination, run, keys, lease }: Delivery, files: number): Promise<void> {
  await destination.abortUnfinished({ keyPrefix: keys.filePrefix, uploads: [], signal: lease.signal });
  for (let number = files; number < run.filesOpened; number += 1) {
    await destination.deleteObject(keys.file(number), lease.signal);
  }
}

/**
 * Removes what other runs left in the folder that failed or were cancelled half-way: `_SUCCESS` will say that everything
 * in it may be read. When they are repeated, they write all of it again.
 */
export async function removeAbandoned({ deps, destination, run, keys, lease }: Delivery): Promise<void> {
  for (const other of await deps.runs.listAbandoned(deps.database, run)) {
    const left = runKeys(parseSpec(other.spec).layout, { id: other.integrationId, date: other.date, run: other.id });
    if (left.folder !== keys.folder) continue;
    const { signal } = lease;
    await destination.abortUnfinished({ keyPrefix: left.filePrefix, uploads: other.uploads, signal });
    await destination.deleteObject(left.manifest, signal);
    for (let number = 0; number < other.filesOpened; number += 1) {
      await destination.deleteObject(left.file(number), signal);
    }
    lease.assertHeld();
    await deps.runs.forgetFiles(deps.database, other);
  }
}

/**
 * A run that failed for good leaves the folder as it found it: what it wrote goes, and what other runs of the day have
 * delivered may be read again. When it is retried, it writes all of it anew.
 */
export async function withdrawRun(delivery: Delivery): Promise<void> {
  const { deps, destination, run, keys, lease } = delivery;
  const { signal } = lease;
  const { uploads = [], filesOpened = 0 } = (await deps.runs.find(deps.database, run)) ?? {};
  await destination.abortUnfinished({ keyPrefix: keys.filePrefix, uploads, signal });
  await destination.deleteObject(keys.manifest, signal);
  for (let number = 0; number < filesOpened; number += 1) await destination.deleteObject(keys.file(number), signal);
  await removeAbandoned(delivery);
  const layouts = await deps.runs.listDeliveredLayouts(deps.database, run);
  const folders = layouts.map(
    (layout) => runKeys(layout, { id: run.integrationId, date: run.date, run: run.id }).folder,
  );
  if (folders.includes(keys.folder)) await writeSuccess(delivery);
}

export interface WrittenManifest {
  key: string;
  sha256: string;
  previousSha256: string | undefined;
}

export async function writeManifest(
  delivery: Delivery,
  files: readonly ManifestFile[],
  chain: Chain,
): Promise<WrittenManifest> {
  const { deps, destination, keys, lease } = delivery;
  const unsigned = describeRun(delivery, files, chain);
  const bytes = manifestBytes({ ...unsigned, signature: deps.sign(signingInput(unsigned)) });
  await destination.putObject(keys.manifest, bytes, { contentType: 'application/json', signal: lease.signal });
  return { key: keys.manifest, sha256: sha256(bytes), previousSha256: chain.previous?.sha256 };
}

/**
 * Zero bytes, last of all: whoever sees it may read everything in the folder (contracts.md D-15). Asks once more who
 * holds the run, because removing and writing took time in which it can have been cancelled.
 */
export async function writeSuccess({ deps, run, destination, keys, lease, progress }: Delivery): Promise<void> {
  await lease.changing(() => deps.attempts.renewLease(deps.database, run, lease.leaseSeconds, progress.snapshot()));
  await destination.putObject(keys.success, new Uint8Array(), {
    contentType: 'application/octet-stream',
    signal: lease.signal,
  });
}

export async function completeRun({ deps, run, lease, progress }: Delivery, manifest: WrittenManifest): Promise<void> {
  const result = {
    progress: progress.snapshot(),
    manifestKey: manifest.key,
    manifestSha256: manifest.sha256,
    previousSha256: manifest.previousSha256,
  };
  await lease.changing(() => deps.database.transaction((tx) => deps.attempts.complete(tx, run, result)));
}

/** Only what was planned and what was read: the same run, executed again, says the same (rule 14). */
function describeRun(
  { run, content, progress }: Delivery,
  files: readonly ManifestFile[],
  { previous, missing }: Chain,
): UnsignedManifest {
  return {
    manifest_version: 1,
    run: run.id,
    organization_id: run.organizationId,
    export_id: run.integrationId,
    content: run.content,
    schema_version: content.schemaVersion,
    date: run.date,
    window: {
      from: formatPositions(run.window.from),
      to: formatPositions(run.window.to),
      from_at: run.windowFromAt?.toISOString() ?? null,
      to_at: run.windowToAt.toISOString(),
    },
    complete_until: run.completeUntil?.toISOString() ?? null,
    due_at: run.dueAt.toISOString(),
    due_times: run.dueTimes.map((time) => time.toISOString()),
    trigger: run.trigger,
    files: [...files],
    totals: totalsOf(files, { users: progress.now.users, events: progress.now.events }),
    previous: previous ?? null,
    missing,
    erased: [],
  };
}
