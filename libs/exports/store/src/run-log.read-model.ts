import type { RunStatus, RunTrigger } from '@delivery/exports/domain';
import type { Sql } from '@delivery/platform/postgres';
import { type ExportRun, type RunRow, runColumns, toRun } from './run';

/** One line of an export's log (contracts.md §1.8), with what is added to it. */
export interface RunLog {
  id: string;
  organizationId: string;
  integrationId: string;
  status: RunStatus;
  trigger: RunTrigger;
  frequencyDays: number;
  dueAt: Date;
  dueTimes: readonly Date[];
  date: string;
  createdAt: Date;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
  windowFromAt: Date | undefined;
  windowToAt: Date;
  completeUntil: Date | undefined;
  attempt: number;
  nextRetryAt: Date | undefined;
  progress: ExportRun['progress'];
  resultCode: string | undefined;
  resultMessage: string | undefined;
  manifestKey: string | undefined;
  /** Earlier runs of the integration that are not delivered as of now. */
  missing: string[];
}

/** A due run that is not planned yet, because recording has not caught up with its due time. */
export interface WaitingRun {
  integrationId: string;
  dueAt: Date;
  waitingFor: string;
  waitingSince: Date;
}

export interface RunLogPage {
  data: RunLog[];
  total: number;
}

/** What the surfaces show of runs. Always of one organization. */
export class RunLogReadModel {
  /** Newest first. */
  async page(
    sql: Sql,
    query: {
      organizationId: string;
      integrationId?: string;
      /** All, if not given. */
      statuses?: readonly RunStatus[];
      limit: number;
      skip: number;
    },
  ): Promise<RunLogPage> {
    const values = [query.organizationId, query.integrationId ?? null, query.statuses ?? null];
    const where = `r.organization_id = $1 AND ($2::text IS NULL OR r.integration_id = $2)
      AND ($3::text[] IS NULL OR r.status = ANY($3))`;
    const [count] = await sql.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM export_run r WHERE ${where}`,
      values,
    );
    const rows = await sql.query<LogRow>(
      `${logSelect} WHERE ${where} ORDER BY r.created_at DESC, r.id DESC LIMIT $4 OFFSET $5`,
      [...values, query.limit, query.skip],
    );
    return { data: rows.map(toLog), total: count?.total ?? 0 };
  }

  async find(sql: Sql, key: { organizationId: string; id: string }): Promise<RunLog | undefined> {
    const [row] = await sql.query<LogRow>(`${logSelect} WHERE r.organization_id = $1 AND r.id = $2`, [
      key.organizationId,
      key.id,
    ]);
    return row && toLog(row);
  }

  async waiting(sql: Sql, query: { organizationId: string; integrationId?: string }): Promise<WaitingRun[]> {
    const rows = await sql.query<{
      integration_id: string;
      next_due_at: Date;
      waiting_for: string;
      waiting_since: Date;
    }>(
      `SELECT integration_id, next_due_at, waiting_for, waiting_since FROM export_schedule
       WHERE organization_id = $1 AND ($2::text IS NULL OR integration_id = $2)
         AND waiting_for IS NOT NULL AND next_due_at <= delivery_now() ORDER BY next_due_at, integration_id`,
      [query.organizationId, query.integrationId ?? null],
    );
    return rows.map((row) => ({
      integrationId: row.integration_id,
      dueAt: row.next_due_at,
      waitingFor: row.waiting_for,
      waitingSince: row.waiting_since,
    }));
  }
}

type LogRow = RunRow & { frequency_days: number; missing: string[] };

const logSelect = `SELECT ${runColumns}, s.frequency_days,
  ARRAY(SELECT m.id FROM export_run m WHERE m.organization_id = r.organization_id AND m.integration_id = r.integration_id
    AND m.sequence < r.sequence AND m.status IN ('failed', 'cancelled') ORDER BY m.sequence) AS missing
  FROM export_run r JOIN export_schedule s USING (organization_id, integration_id)`;

function toLog(row: LogRow): RunLog {
  const run = toRun(row);
  return {
    id: run.id,
    organizationId: run.organizationId,
    integrationId: run.integrationId,
    status: run.status,
    trigger: run.trigger,
    frequencyDays: row.frequency_days,
    dueAt: run.dueAt,
    dueTimes: run.dueTimes,
    date: run.date,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    windowFromAt: run.windowFromAt,
    windowToAt: run.windowToAt,
    completeUntil: run.completeUntil,
    attempt: run.attempt,
    nextRetryAt: run.retryAt,
    progress: run.progress,
    resultCode: run.resultCode,
    resultMessage: run.resultMessage,
    manifestKey: run.manifestKey,
    missing: row.missing,
  };
}
