import { type PlanDeps, planRun } from '@delivery/exports/engine';
import type { IntegrationKey, RunStore } from '@delivery/exports/store';
import type { Publisher } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';
import { type NudgedRun, publishNudges } from './nudges';

/** Due times looked at in one call; the longest overdue come first. */
const LIMIT = 200;

export interface PlanTaskDeps {
  readonly database: Database;
  readonly runs: RunStore;
  readonly planning: PlanDeps;
  readonly publisher: Publisher;
  readonly everySeconds: number;
  planned(): void;
  failed(key: IntegrationKey, error: unknown): void;
}

/** Plans the runs whose due times have come, and tells the exporters. */
export function planDueRuns(deps: PlanTaskDeps): Task {
  return { name: 'plan', everySeconds: deps.everySeconds, run: (signal) => planDue(deps, signal) };
}

async function planDue(deps: PlanTaskDeps, signal: AbortSignal): Promise<void> {
  const planned: NudgedRun[] = [];
  for (const key of await deps.planning.schedules.listDue(deps.database, LIMIT)) {
    if (signal.aborted) break;
    try {
      const result = await planRun(deps.planning, { ...key, trigger: 'schedule' });
      if (result.outcome !== 'planned') continue;
      planned.push(result.run);
      deps.planned();
    } catch (error) {
      // One integration that cannot be planned must not keep the others from it.
      deps.failed(key, error);
    }
  }
  // A nudge that fails here is sent by the nudge task: the run is a row.
  const told = await publishNudges(deps.publisher, planned);
  if (told.length > 0) await deps.runs.markNudged(deps.database, told);
}
