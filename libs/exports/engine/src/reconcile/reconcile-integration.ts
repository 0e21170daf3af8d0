import {
  type FoundManifest,
  type LackingRun,
  type LostRun,
  makeWindow,
  newRunId,
  parsePositions,
  reconcile,
  type Reconciliation,
} from '@delivery/exports/domain';
import type {
  IntegrationKey,
  NewRun,
  ReconciliationStore,
  RunStore,
  Schedule,
  ScheduleStore,
} from '@delivery/exports/store';
import type { Database, Sql } from '@delivery/platform/postgres';
import type { FoundDeliveries } from './find-deliveries';

export interface ReconcileDeps {
  readonly database: Database;
  readonly schedules: ScheduleStore;
  readonly runs: RunStore;
  readonly reconciliations: ReconciliationStore;
  /** What the organization wants now. */
  readonly readSettings: (sql: Sql, organizationId: string) => Promise<{ includeGuests: boolean }>;
  /** Nothing is written. */
  readonly dryRun: boolean;
}

/**
 * Makes the database agree with what lies in an integration's bucket, in one transaction that locks the schedule as
 * planning does (rule 11). Never moves anything backwards; may be repeated.
 *
 * @returns what was to be done, or `undefined` when there is no such integration
 */
export async function reconcileIntegration(
  deps: ReconcileDeps,
  key: IntegrationKey,
  found: FoundDeliveries,
): Promise<Reconciliation | undefined> {
  return deps.database.transaction(async (tx) => {
    const locked = await deps.schedules.lockForPlanning(tx, key);
    if (locked === undefined) return undefined;
    const { schedule } = locked;
    const { anchorAt, frequencyDays: everyDays, plannedTo, plannedToAt, nextDueAt } = schedule;
    const runs = await deps.reconciliations.statusesOf(tx, key);
    const known = { runs, plannedTo, plannedToAt, nextDueAt, cadence: { anchorAt, everyDays } };
    const answer = reconcile(known, found.manifests, found.strays);
    if (!deps.dryRun && isChange(answer)) await apply(deps, tx, schedule, answer);
    return answer;
  });
}

/** Whether anything of it is news to the database. */
export function isChange({ lacking, settled }: Reconciliation): boolean {
  return lacking.length > 0 || settled.length > 0;
}

async function apply(deps: ReconcileDeps, tx: Sql, schedule: Schedule, answer: Reconciliation): Promise<void> {
  const { runs, reconciliations } = deps;
  await reconciliations.outdateAttempts(tx, schedule);
  for (const found of answer.settled) await reconciliations.settle(tx, schedule, found);
  const spec = { ...schedule.spec, ...(await deps.readSettings(tx, schedule.organizationId)) };
  let plannedRuns = schedule.plannedRuns;
  for (const lacking of answer.lacking) {
    plannedRuns += 1;
    const { organizationId, integrationId, destinationKind, content } = schedule;
    const frozen = { organizationId, integrationId, destinationKind, content, spec, sequence: plannedRuns };
    const { run, filesOpened } = rowOf(frozen, lacking);
    await runs.insert(tx, run);
    await reconciliations.adopt(tx, run, filesOpened);
    if (lacking.kind === 'delivered') await reconciliations.settle(tx, schedule, lacking.found);
  }
  const last = answer.last && { run: answer.last.manifest.run, sha256: answer.last.sha256 };
  await reconciliations.moveForward(tx, schedule, { ...answer, plannedRuns, last });
}

type Frozen = Pick<NewRun, 'organizationId' | 'integrationId' | 'destinationKind' | 'content' | 'spec' | 'sequence'>;

function rowOf(frozen: Frozen, lacking: LackingRun): { run: NewRun; filesOpened: number } {
  if (lacking.kind === 'lost') return { run: lostRow(frozen, lacking.run), filesOpened: lacking.run.filesOpened };
  return { run: foundRow(frozen, lacking.found), filesOpened: lacking.found.manifest.files.length };
}

function lostRow(frozen: Frozen, { id = newRunId(), filesOpened: _, ...run }: LostRun): NewRun {
  const dueAt = run.dueTimes.at(-1) ?? run.windowToAt;
  return { ...frozen, ...run, id, dueAt, completeUntil: undefined };
}

function foundRow(frozen: Frozen, { manifest }: FoundManifest): NewRun {
  const { window, due_times: dueTimes, complete_until: completeUntil } = manifest;
  return {
    ...frozen,
    id: manifest.run,
    content: manifest.content,
    trigger: manifest.trigger,
    dueAt: new Date(manifest.due_at),
    dueTimes: dueTimes.map((time) => new Date(time)),
    date: manifest.date,
    window: makeWindow(parsePositions(window.from), parsePositions(window.to)),
    windowFromAt: window.from_at === null ? undefined : new Date(window.from_at),
    windowToAt: new Date(window.to_at),
    completeUntil: completeUntil === null ? undefined : new Date(completeUntil),
  };
}
