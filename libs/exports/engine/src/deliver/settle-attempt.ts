import { setTimeout as delay } from 'node:timers/promises';
import { DestinationError } from '@delivery/destinations/driver';
import { retryDelaySeconds } from '@delivery/exports/domain';
import type { ExportRun, Hold } from '@delivery/exports/store';
import { DatabaseError } from '@delivery/platform/postgres';
import { LeaseLost, RunFault } from '../errors';
import type { AttemptOutcome, ExecuteDeps } from './deps';

/** What a failure means for its run. `message` is for the integration's owner. */
export interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  /** Whether the operator has to see the error itself: its owner can do nothing about it. */
  ours: boolean;
}

export function describeFailure(error: unknown): Failure {
  // An abort that neither the lease nor the exporter asked for is nothing that anybody could change.
  const named = error instanceof RunFault || (error instanceof DestinationError && error.code !== 'aborted');
  if (named) {
    return { code: error.code, message: error.message, retryable: error.retryable, ours: false };
  }
  if (error instanceof DatabaseError) {
    const message = 'The database of the platform could not be read. The run is tried again.';
    return { code: 'database_unavailable', message, retryable: true, ours: true };
  }
  const message = "The run failed for a reason that only the platform's own log tells. It is tried again.";
  return { code: 'unexpected', message, retryable: true, ours: true };
}

/** Whether the run fails with this, rather than being tried again. */
export function isFinal({ retry }: ExecuteDeps, run: ExportRun, error: unknown): boolean {
  return !describeFailure(error).retryable || run.tries >= retry.maxTries;
}

/** Writes down how an attempt ended that did not complete its run. Never rejects. */
export async function settleAttempt(
  deps: ExecuteDeps,
  run: ExportRun,
  error: unknown,
  stopped: boolean,
): Promise<AttemptOutcome> {
  if (error instanceof LeaseLost) {
    // Only hastens the integration's next run, which otherwise waits as long as a lease.
    await deps.attempts.letGo(deps.database, run).catch(() => undefined);
    return 'lost';
  }
  const failure = describeFailure(error);
  if (failure.ours && !stopped) {
    deps.warn?.('a run failed unexpectedly', { err: error, run: run.id, organization: run.organizationId });
  }
  try {
    return await persistently(() => (stopped ? release(deps, run) : settle(deps, run, failure)));
  } catch (err) {
    // The lease runs out, and the scheduler gives the run to another exporter.
    deps.warn?.('the end of a run could not be written down', { err, run: run.id, organization: run.organizationId });
    return 'lost';
  }
}

async function release({ attempts, database }: ExecuteDeps, run: ExportRun): Promise<AttemptOutcome> {
  const message = 'The exporter was stopped; another one takes over.';
  return outcomeOf(await attempts.release(database, run, { code: 'interrupted', message }), 'released');
}

async function settle(
  { attempts, database, retry, random = Math.random }: ExecuteDeps,
  run: ExportRun,
  { code, message, retryable }: Failure,
): Promise<AttemptOutcome> {
  const delaySeconds = retryable ? retryDelaySeconds(retry, run.tries, random()) : undefined;
  if (delaySeconds === undefined) {
    const told = retryable ? `${message} It was tried ${run.tries} times.` : message;
    return outcomeOf(await attempts.fail(database, run, { code, message: told }), 'failed');
  }
  return outcomeOf(await attempts.retryLater(database, run, { code, message, delaySeconds }), 'retrying');
}

function outcomeOf(hold: Hold, outcome: AttemptOutcome): AttemptOutcome {
  return hold === 'held' ? outcome : 'lost';
}

/** A database that is away for a moment should not cost the run its lease. */
async function persistently<T>(write: () => Promise<T>): Promise<T> {
  for (let pauseMs = 200; ; pauseMs *= 2) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof DatabaseError) || !error.retryable || pauseMs > 4000) throw error;
      await delay(pauseMs);
    }
  }
}
