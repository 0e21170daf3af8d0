import {
  type Cadence,
  dueTimesBetween,
  furthest,
  makeWindow,
  newRunId,
  nextDue,
  type RunTrigger,
  utcDay,
} from '@delivery/exports/domain';
import {
  databaseNow,
  type DestinationKind,
  type IntegrationKey,
  type RunStore,
  type Schedule,
  type ScheduleStore,
} from '@delivery/exports/store';
import type { IngestPosition } from '@delivery/ingest/store';
import type { Database, Sql } from '@delivery/platform/postgres';
import { inSpan, type Span } from '@delivery/platform/tracing';
import { contentOf } from '../contents/registry';
import { describeWindow } from '../deliver/describe-window';
import { recordedPositions } from '../deliver/read-window';
import type { ContentSource, PositionReader } from '../sources/content-source';
import type { LogReader, Readiness } from './log-readiness';

export interface PlanDeps {
  readonly database: Database;
  readonly schedules: ScheduleStore;
  readonly runs: RunStore;
  readonly positions: PositionReader;
  readonly log: LogReader;
  /** What the organization wants now; frozen with the run. */
  readonly readSettings: (sql: Sql, organizationId: string) => Promise<{ includeGuests: boolean }>;
  /** A scheduled run that waited so long for the recorder is planned with what is recorded. */
  readonly maxWaitSeconds: number;
}

export interface PlanRequest extends IntegrationKey {
  readonly trigger: RunTrigger;
  /** A condition that holds for one request at a time: asked under the schedule's lock. Throws, and nothing is planned. */
  readonly mustHold?: (tx: Sql) => Promise<void>;
}

export interface PlannedRun {
  readonly organizationId: string;
  readonly id: string;
  readonly destinationKind: DestinationKind;
  /** Of the span in which it was planned. */
  readonly traceparent: string | undefined;
}

export type PlanOutcome =
  | { readonly outcome: 'planned'; readonly run: PlannedRun }
  /**
   * The recorder has not passed the due time yet, or the database went back (then also for a manual run); ask again
   * later. The same words are in the schedule's row.
   */
  | { readonly outcome: 'waiting'; readonly waitingFor: string }
  | { readonly outcome: 'not_due' }
  | { readonly outcome: 'absent' };

/**
 * Plans the next run of an integration: the one place where windows are made (rule 11), in one transaction that locks
 * the schedule. A `manual` run is the next window early and waits for nothing; a `schedule` run stands for all due times
 * that have passed, and waits until everything that had arrived at the last of them is recorded. In a database that went
 * back nothing is planned before the deliveries were reconciled.
 *
 * May be repeated and called by any number of schedulers at once: a due time is planned once.
 */
export async function planRun(deps: PlanDeps, request: PlanRequest): Promise<PlanOutcome> {
  const schedule = await deps.schedules.find(deps.database, request);
  if (schedule === undefined || schedule.deletedAt !== undefined) return { outcome: 'absent' };
  const now = await databaseNow(deps.database);
  const due = request.trigger === 'manual' ? now : dueTimesOf(schedule, now).at(-1);
  if (due === undefined) return { outcome: 'not_due' };
  const { source } = contentOf(schedule.content);
  const recorded = await deps.positions.readAll(deps.database, source.consumer);
  const readinessOf = await source.readinessAt(deps.log, due, recorded);
  return deps.database.transaction((tx) => planLocked(deps, tx, request, { due, source, readinessOf }));
}

/** Until the operator has reconciled the deliveries, however long that takes: a window may be delivered already. */
const DATABASE_WENT_BACK =
  'the database is older than what was recorded once; the operator has to run: npm run admin -- deliveries reconcile';

/** What was asked of the log before the transaction, since no lock may wait for Kafka. */
interface AskedLog {
  readonly due: Date;
  readonly source: ContentSource;
  readonly readinessOf: (positions: readonly IngestPosition[]) => Readiness;
}

async function planLocked(
  deps: PlanDeps,
  tx: Sql,
  request: PlanRequest,
  { due, source, readinessOf }: AskedLog,
): Promise<PlanOutcome> {
  const locked = await deps.schedules.lockForPlanning(tx, request);
  if (locked === undefined) return { outcome: 'absent' };
  await request.mustHold?.(tx);
  const { schedule, now } = locked;
  const dueTimes = request.trigger === 'manual' ? [due] : dueTimesOf(schedule, due);
  if (dueTimes.length === 0) return { outcome: 'not_due' };

  const positions = await deps.positions.readAll(tx, source.consumer);
  if (await deps.positions.isHeld(tx)) {
    if (request.trigger === 'schedule') await deps.schedules.setWaiting(tx, request, DATABASE_WENT_BACK);
    return { outcome: 'waiting', waitingFor: DATABASE_WENT_BACK };
  }
  const { waitingFor, completeUntil } = readinessOf(positions);
  if (request.trigger === 'schedule' && waitingFor !== undefined && mayWait(deps, schedule, now)) {
    await deps.schedules.setWaiting(tx, request, waitingFor);
    return { outcome: 'waiting', waitingFor };
  }

  const described = { schedule, positions, due, dueTimes, now, completeUntil };
  const attributes = { 'delivery.trigger': request.trigger, 'delivery.organization': request.organizationId };
  const run = await inSpan('plan run', { attributes }, (span) => insertRun(deps, tx, request, described, span));
  return { outcome: 'planned', run };
}

/** What is known of a run that shall be planned now. */
interface Planning {
  readonly schedule: Schedule;
  readonly positions: readonly IngestPosition[];
  readonly due: Date;
  readonly dueTimes: readonly Date[];
  readonly now: Date;
  readonly completeUntil: Date | undefined;
}

async function insertRun(
  deps: PlanDeps,
  tx: Sql,
  request: PlanRequest,
  { schedule, positions, due, dueTimes, now, completeUntil }: Planning,
  span: Span,
): Promise<PlannedRun> {
  const settings = await deps.readSettings(tx, request.organizationId);
  // Never backwards: a database restored from a backup has recorded less than was planned. The run then waits (rule 13).
  const to = furthest(schedule.plannedTo, recordedPositions(positions));
  const run: PlannedRun = {
    organizationId: request.organizationId,
    id: newRunId(),
    destinationKind: schedule.destinationKind,
    traceparent: span.traceparent,
  };
  const window = makeWindow(schedule.plannedTo, to);
  span.set({ 'delivery.run': run.id, 'delivery.integration': request.integrationId, ...describeWindow(window) });
  await deps.runs.insert(tx, {
    ...run,
    integrationId: request.integrationId,
    sequence: schedule.plannedRuns + 1,
    content: schedule.content,
    spec: { ...schedule.spec, ...settings },
    trigger: request.trigger,
    dueAt: due,
    dueTimes,
    date: utcDay(due),
    window,
    windowFromAt: schedule.plannedToAt,
    windowToAt: now,
    completeUntil,
  });
  await deps.schedules.movePlannedTo(tx, request, {
    plannedTo: to,
    plannedToAt: now,
    ...(request.trigger === 'schedule' ? { nextDueAt: nextDue(cadenceOf(schedule), due) } : {}),
  });
  return run;
}

/** The due times up to `upTo` that are not planned yet; several when the platform was down. */
function dueTimesOf(schedule: Schedule, upTo: Date): Date[] {
  return schedule.nextDueAt === undefined ? [] : dueTimesBetween(cadenceOf(schedule), schedule.nextDueAt, upTo);
}

function cadenceOf({ anchorAt, frequencyDays }: Schedule): Cadence {
  return { anchorAt, everyDays: frequencyDays };
}

function mayWait({ maxWaitSeconds }: PlanDeps, { waitingSince }: Schedule, now: Date): boolean {
  return waitingSince === undefined || now.getTime() - waitingSince.getTime() < maxWaitSeconds * 1000;
}
