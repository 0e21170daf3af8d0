import { runChanged } from '@delivery/exports/schema';
import type { ExportRun, RunStore } from '@delivery/exports/store';
import type { Publisher } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';
import { publishNudges } from './nudges';

/** Rows handled in one call. */
const LIMIT = 500;

export interface RunTaskDeps {
  readonly database: Database;
  readonly runs: RunStore;
  readonly publisher: Publisher;
  readonly everySeconds: number;
}

/** Takes runs away from exporters that are gone. */
export function expireLeases(deps: RunTaskDeps & { maxTries: number; expired(run: ExportRun): void }): Task {
  const run = async (): Promise<void> => {
    for (const expired of await deps.runs.expireLeases(deps.database, { maxTries: deps.maxTries }))
      deps.expired(expired);
  };
  return { name: 'leases', everySeconds: deps.everySeconds, run };
}

/** Nudges again for runs that nobody claims: nudges get lost, and retries come due. */
export function repeatNudges(deps: RunTaskDeps & { olderThanSeconds: number }): Task {
  const { database, runs, publisher, olderThanSeconds } = deps;
  const run = async (): Promise<void> => {
    const told = await publishNudges(publisher, await runs.listUnclaimed(database, { olderThanSeconds, limit: LIMIT }));
    if (told.length > 0) await runs.markNudged(database, told);
  };
  return { name: 'nudges', everySeconds: deps.everySeconds, run };
}

/** Announces changes of runs at least once, in the state the run then has. */
export function announceChanges(deps: RunTaskDeps): Task {
  const { database, runs, publisher } = deps;
  const run = async (): Promise<void> => {
    const changed = await runs.listUnannounced(database, LIMIT);
    if (changed.length === 0) return;
    const messages = changed.map(describeChange).map((message) => ({
      key: runChanged.key(message),
      value: runChanged.encode(message),
    }));
    await publisher.publish(runChanged.name, messages);
    await runs.markAnnounced(database, changed);
  };
  return { name: 'announcements', everySeconds: deps.everySeconds, run };
}

function describeChange(run: ExportRun) {
  return {
    organization_id: run.organizationId,
    export_id: run.integrationId,
    run_id: run.id,
    change: run.changes,
    status: run.status,
    trigger: run.trigger,
    date: run.date,
    due_at: run.dueAt.toISOString(),
    attempt: run.attempt,
    retry_at: run.retryAt?.toISOString() ?? null,
    finished_at: run.finishedAt?.toISOString() ?? null,
    result_code: run.resultCode ?? null,
    result_message: run.resultMessage ?? null,
    manifest_key: run.manifestKey ?? null,
  };
}
