import type { DestinationDriver } from '@delivery/destinations/driver';
import type { ManifestSignature, RetrySchedule } from '@delivery/exports/domain';
import type { AttemptStore, ExportRun, RunProgress, RunStore } from '@delivery/exports/store';
import type { Database } from '@delivery/platform/postgres';
import type { PositionReader } from '../sources/content-source';

/** What executing a run needs from outside. */
export interface ExecuteDeps {
  /** For the run's row. */
  readonly database: Database;
  /** For reading the window: the same database, or a replica of it. */
  readonly snapshots: Database;
  readonly attempts: AttemptStore;
  readonly runs: RunStore;
  readonly positions: PositionReader;
  /**
   * Opens the integration's destination with the credentials it has now.
   * @throws RunFault `destination_missing`; DestinationError
   */
  readonly openDestination: (run: ExportRun) => Promise<DestinationDriver>;
  readonly sign: (input: Buffer) => ManifestSignature;
  readonly leaseSeconds: number;
  readonly retry: RetrySchedule;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Told of what a completed run delivered. */
  readonly delivered?: (progress: RunProgress) => void;
  /** Told of what nobody else is: failures while cleaning up, and failures without a name. */
  readonly warn?: (message: string, fields: { err: unknown; run: string; organization: string }) => void;
}

/** How an attempt ended. `lost`: somebody else has the run, and nothing was written about it. */
export type AttemptOutcome = 'completed' | 'retrying' | 'failed' | 'released' | 'lost';

export const NO_PROGRESS: RunProgress = Object.freeze({ files: 0, bytes: 0, rows: 0, users: 0, events: 0 });
