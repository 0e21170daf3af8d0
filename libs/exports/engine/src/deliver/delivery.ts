import { confineKeys, type DestinationDriver } from '@delivery/destinations/driver';
import { ExportFault, type ExportSpec, parseSpec, runKeys, type RunKeys } from '@delivery/exports/domain';
import type { ExportRun, RunProgress } from '@delivery/exports/store';
import type { Content } from '../contents/content';
import { contentOf } from '../contents/registry';
import { RunFault } from '../errors';
import { type ExecuteDeps, NO_PROGRESS } from './deps';
import { fenceDriver, type Lease } from './lease';

/** What a run's frozen row says, read once. */
export interface DeliveryPlan {
  readonly spec: ExportSpec;
  readonly content: Content;
  readonly keys: RunKeys;
}

/** One attempt at work: what every step of it is given. */
export interface Delivery extends DeliveryPlan {
  readonly deps: ExecuteDeps;
  readonly run: ExportRun;
  readonly lease: Lease;
  /** Fenced and confined to the run's folder. */
  readonly destination: DestinationDriver;
  readonly progress: ProgressMeter;
}

/** @throws RunFault `spec_unsupported` */
export function planDelivery(run: ExportRun): DeliveryPlan {
  try {
    const spec = parseSpec(run.spec);
    const keys = runKeys(spec.layout, { id: run.integrationId, date: run.date, run: run.id });
    return { spec, content: contentOf(run.content), keys };
  } catch (error) {
    if (error instanceof ExportFault) throw new RunFault('spec_unsupported', error.message, { cause: error });
    throw error;
  }
}

/** Opens the destination for `work` and closes it whatever happens. */
export async function withDestination<T>(
  deps: ExecuteDeps,
  run: ExportRun,
  lease: Lease,
  keys: RunKeys,
  work: (destination: DestinationDriver) => Promise<T>,
): Promise<T> {
  const driver = await deps.openDestination(run);
  try {
    return await work(confineKeys(fenceDriver(driver, lease), keys.folder));
  } finally {
    await driver.close();
  }
}

/** What an attempt has done so far. */
export class ProgressMeter {
  readonly now: RunProgress = { ...NO_PROGRESS };
  private readonly begin = performance.now();

  snapshot(): RunProgress {
    const seconds = (performance.now() - this.begin) / 1000;
    return { ...this.now, events_per_second: seconds > 0 ? Math.round(this.now.events / seconds) : 0 };
  }
}
