/**
 * What a run can come to. `pending`: planned, waits for its turn. `retrying`: failed in a way that passes, tries again
 * at `retry_at`. `failed`: somebody has to change something; the window is kept and can be retried.
 */
export const RUN_STATUSES = ['pending', 'running', 'retrying', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const RUN_TRIGGERS = ['schedule', 'manual'] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

/**
 * Why a run did not complete, beside the codes of destinations. Stored and shown: a code is never renamed. `true`
 * means that the same run may succeed later without anybody changing anything.
 */
export const RUN_RESULT_CODES = {
  /** The exporter stopped renewing its lease: it was killed, or lost its connection for too long. */
  lease_expired: true,
  /** The database the export read from had not reached the window's end (rule 13). */
  snapshot_behind: true,
  database_unavailable: true,
  broker_unavailable: true,
  /** The exporter was told to stop before the run was complete. */
  interrupted: true,
  /** A failure without a name of its own. */
  unexpected: true,
  /** The integration has no usable destination or credentials. */
  destination_missing: false,
  /** The run's frozen settings name something that this build does not know. */
  spec_unsupported: false,
  integration_removed: false,
  cancelled: false,
} as const;
export type RunResultCode = keyof typeof RUN_RESULT_CODES;

/** When a try that failed in a passing way is repeated, and how often. */
export interface RetrySchedule {
  readonly maxTries: number;
  readonly baseSeconds: number;
  readonly capSeconds: number;
}

/** Twelve tries over about five hours: shorter than a day, so that a run that waits does not hold up the next for long. */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = Object.freeze({ maxTries: 12, baseSeconds: 30, capSeconds: 3600 });

/**
 * Seconds to wait after try number `tries` (from 1) failed, or `undefined` when it was the last. Doubles up to the cap;
 * drawn from the upper half, so that runs which failed together do not return together.
 *
 * @param random in [0, 1)
 */
export function retryDelaySeconds(schedule: RetrySchedule, tries: number, random: number): number | undefined {
  if (tries >= schedule.maxTries) return undefined;
  const bound = Math.min(schedule.capSeconds, schedule.baseSeconds * 2 ** (tries - 1));
  return bound / 2 + (bound / 2) * random;
}
