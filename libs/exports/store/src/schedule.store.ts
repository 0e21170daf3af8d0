import {
  type ExportSpec,
  formatPositions,
  formatSpec,
  makeCadence,
  nextDue,
  type Positions,
} from '@delivery/exports/domain';
import type { Sql } from '@delivery/platform/postgres';
import { databaseNow } from './clock';
import {
  type DestinationKind,
  type IntegrationKey,
  type Schedule,
  scheduleColumns,
  type ScheduleRow,
  toSchedule,
} from './schedule';

export interface NewSchedule extends IntegrationKey {
  destinationKind: DestinationKind;
  content: string;
  spec: ExportSpec;
  frequencyDays: number;
}

export interface PlannedMove {
  plannedTo: Positions;
  plannedToAt: Date;
  /** `undefined` leaves the next due time as it is: a manual run does not replace a scheduled one. */
  nextDueAt?: Date;
}

/** Owns `export_schedule`. Every method may be repeated; a parameter `tx` has to be a transaction. */
export class ScheduleStore {
  /** First due 24 hours from now, then every `frequencyDays` days. An integration that has a schedule keeps it. */
  async create(sql: Sql, schedule: NewSchedule): Promise<void> {
    const now = await databaseNow(sql);
    const { anchorAt } = makeCadence(now, schedule.frequencyDays);
    await sql.query(
      `INSERT INTO export_schedule (organization_id, integration_id, destination_kind, content, spec, frequency_days,
         anchor_at, next_due_at, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $8) ON CONFLICT (organization_id, integration_id) DO NOTHING`,
      [
        schedule.organizationId,
        schedule.integrationId,
        schedule.destinationKind,
        schedule.content,
        JSON.stringify(formatSpec(schedule.spec)),
        schedule.frequencyDays,
        anchorAt,
        now,
      ],
    );
  }

  /** Counts from the first due time: a changed frequency moves the next due time, never the time of day. */
  async change(
    tx: Sql,
    key: IntegrationKey,
    changes: { frequencyDays?: number; spec?: ExportSpec },
  ): Promise<'changed' | 'absent'> {
    const locked = await this.lockForPlanning(tx, key);
    if (locked === undefined) return 'absent';
    const { schedule, now } = locked;
    const everyDays = changes.frequencyDays ?? schedule.frequencyDays;
    const next = nextDue({ anchorAt: schedule.anchorAt, everyDays }, now);
    const keepsDue = everyDays === schedule.frequencyDays || !schedule.enabled;
    await tx.query(
      `UPDATE export_schedule SET frequency_days = $3, spec = $4, next_due_at = $5, updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [
        key.organizationId,
        key.integrationId,
        everyDays,
        JSON.stringify(formatSpec(changes.spec ?? schedule.spec)),
        (keepsDue ? schedule.nextDueAt : next) ?? null,
      ],
    );
    return 'changed';
  }

  /** No due times until it is resumed; runs that are planned already go on. */
  async pause(sql: Sql, key: IntegrationKey): Promise<void> {
    await sql.query(
      `UPDATE export_schedule SET enabled = false, next_due_at = NULL, waiting_for = NULL, waiting_since = NULL,
         paused_at = coalesce(paused_at, delivery_now()), updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2 AND enabled AND deleted_at IS NULL`,
      [key.organizationId, key.integrationId],
    );
  }

  /** Due again at the next due time from now on; that run covers the pause, whose own due times were none. */
  async resume(tx: Sql, key: IntegrationKey): Promise<void> {
    const locked = await this.lockForPlanning(tx, key);
    if (locked === undefined || locked.schedule.enabled) return;
    const { anchorAt, frequencyDays } = locked.schedule;
    await tx.query(
      `UPDATE export_schedule SET enabled = true, next_due_at = $3, paused_at = NULL, updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [key.organizationId, key.integrationId, nextDue({ anchorAt, everyDays: frequencyDays }, locked.now)],
    );
  }

  /** Ends the schedule and cancels all runs that are not over; an exporter that executes one notices and stops. */
  async remove(tx: Sql, key: IntegrationKey): Promise<void> {
    await tx.query(
      `UPDATE export_schedule SET enabled = false, next_due_at = NULL, waiting_for = NULL, waiting_since = NULL,
         deleted_at = coalesce(deleted_at, delivery_now()), updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [key.organizationId, key.integrationId],
    );
    await tx.query(
      `UPDATE export_run SET status = 'cancelled', result_code = 'integration_removed',
         result_message = 'The integration was removed before this run was delivered.', finished_at = delivery_now(),
         lease_owner = NULL, lease_until = NULL, retry_at = NULL, changes = changes + 1
       WHERE organization_id = $1 AND integration_id = $2 AND status IN ('pending', 'running', 'retrying')`,
      [key.organizationId, key.integrationId],
    );
  }

  async find(sql: Sql, key: IntegrationKey): Promise<Schedule | undefined> {
    return this.one(sql, key, '');
  }

  /** Integrations whose next due time has come, the longest overdue first. */
  async listDue(sql: Sql, limit: number): Promise<IntegrationKey[]> {
    const rows = await sql.query<{ organization_id: string; integration_id: string }>(
      `SELECT organization_id, integration_id FROM export_schedule
       WHERE next_due_at <= delivery_now() ORDER BY next_due_at, organization_id, integration_id LIMIT $1`,
      [limit],
    );
    return rows.map((row) => ({ organizationId: row.organization_id, integrationId: row.integration_id }));
  }

  /** Locks a schedule until the transaction ends: windows of one integration are made one after the other. */
  async lockForPlanning(tx: Sql, key: IntegrationKey): Promise<{ schedule: Schedule; now: Date } | undefined> {
    const schedule = await this.one(tx, key, 'FOR NO KEY UPDATE');
    if (schedule === undefined || schedule.deletedAt !== undefined) return undefined;
    // Read after the lock was given: the time of the statement that waited for it would lie before another planner's.
    return { schedule, now: await databaseNow(tx) };
  }

  private async one(sql: Sql, key: IntegrationKey, lock: string): Promise<Schedule | undefined> {
    const [row] = await sql.query<ScheduleRow>(
      `SELECT ${scheduleColumns} FROM export_schedule WHERE organization_id = $1 AND integration_id = $2 ${lock}`,
      [key.organizationId, key.integrationId],
    );
    return row && toSchedule(row);
  }

  /** Says why a due run is not planned yet; the time since which it waits stays that of the first call. */
  async setWaiting(tx: Sql, key: IntegrationKey, waitingFor: string): Promise<void> {
    await tx.query(
      `UPDATE export_schedule SET waiting_for = $3, waiting_since = coalesce(waiting_since, delivery_now()),
         updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [key.organizationId, key.integrationId, waitingFor],
    );
  }

  /** Everything up to these positions is in a run now. Only in the transaction that inserts that run. */
  async movePlannedTo(tx: Sql, key: IntegrationKey, move: PlannedMove): Promise<void> {
    await tx.query(
      `UPDATE export_schedule SET planned_to = $3, planned_to_at = $4, planned_runs = planned_runs + 1,
         next_due_at = coalesce($5, next_due_at),
         waiting_for = CASE WHEN $5::timestamptz IS NULL THEN waiting_for END,
         waiting_since = CASE WHEN $5::timestamptz IS NULL THEN waiting_since END,
         updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [
        key.organizationId,
        key.integrationId,
        JSON.stringify(formatPositions(move.plannedTo)),
        move.plannedToAt,
        move.nextDueAt ?? null,
      ],
    );
  }
}
