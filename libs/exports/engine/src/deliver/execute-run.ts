import type { ExportRun } from '@delivery/exports/store';
import {
  completeRun,
  passFence,
  removeAbandoned,
  removeLeftovers,
  sweepUploads,
  withdrawSuccess,
  writeManifest,
  withdrawRun,
  writeSuccess,
} from './close-delivery';
import { type Delivery, planDelivery, ProgressMeter, withDestination } from './delivery';
import type { AttemptOutcome, ExecuteDeps } from './deps';
import { Lease } from './lease';
import { inSnapshot, streamLines } from './read-window';
import { isFinal, settleAttempt } from './settle-attempt';
import { writeFiles } from './write-files';

export interface ExecuteOptions {
  /** Aborted when the exporter stops: the run is given back. */
  readonly signal: AbortSignal;
  /** `performance.now()` before the claim was sent. */
  readonly claimedAt: number;
}

/**
 * Executes a claimed run and writes down how it ended. May be repeated for the same run as often as it is claimed: the
 * same run writes the same bytes under the same keys.
 *
 * Never rejects: a failure is a result of the run.
 */
export async function executeRun(deps: ExecuteDeps, run: ExportRun, options: ExecuteOptions): Promise<AttemptOutcome> {
  const progress = new ProgressMeter();
  const sources = { sql: deps.database, attempts: deps.attempts };
  const terms = { leaseSeconds: deps.leaseSeconds, claimedAt: options.claimedAt };
  const lease = new Lease(sources, run, terms, () => progress.snapshot());
  const stop = (): void => lease.stop();
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    if (options.signal.aborted) stop();
    await deliver(deps, run, lease, progress);
    deps.delivered?.(progress.snapshot());
    return 'completed';
  } catch (error) {
    const stopped = options.signal.aborted;
    if (lease.lost === undefined && !stopped && isFinal(deps, run, error)) await tidyUp(deps, run, lease, progress);
    return await settleAttempt(deps, run, lease.lost ?? error, stopped);
  } finally {
    options.signal.removeEventListener('abort', stop);
    lease.close();
  }
}

async function deliver(deps: ExecuteDeps, run: ExportRun, lease: Lease, progress: ProgressMeter): Promise<void> {
  const plan = planDelivery(run);
  await withDestination(deps, run, lease, plan.keys, async (destination) => {
    const delivery: Delivery = { ...plan, deps, run, lease, destination, progress };
    await sweepUploads(delivery);
    const files = await inSnapshot(delivery, async (snapshot) => {
      await withdrawSuccess(delivery);
      return writeFiles(delivery, streamLines(delivery, snapshot));
    });
    const chain = await passFence(delivery);
    await removeLeftovers(delivery, files.length);
    await removeAbandoned(delivery);
    const manifest = await writeManifest(delivery, files, chain);
    await writeSuccess(delivery);
    await completeRun(delivery, manifest);
  });
}

/** As far as the destination lets it: what stays is removed by the next run of the day, or by this one's next attempt. */
async function tidyUp(deps: ExecuteDeps, run: ExportRun, lease: Lease, progress: ProgressMeter): Promise<void> {
  try {
    const plan = planDelivery(run);
    await withDestination(deps, run, lease, plan.keys, (destination) =>
      withdrawRun({ ...plan, deps, run, lease, destination, progress }),
    );
  } catch (err) {
    deps.warn?.('what a failed run wrote could not be removed', { err, run: run.id, organization: run.organizationId });
  }
}
