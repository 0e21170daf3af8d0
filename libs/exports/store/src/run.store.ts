import {
  type ExportSpec,
  formatPositions,
  formatSpec,
  type PartitionPosition,
  type RunTrigger,
  type Window,
} from '@delivery/exports/domain';
import type { Sql } from '@delivery/platform/postgres';
import { type ExportRun, type RunRow, runColumns, toRun } from './run';
import type { DestinationKind, IntegrationKey } from './schedule';

export interface RunKey {
  readonly organizationId: string;
  readonly id: string;
}

export interface NewRun extends RunKey, IntegrationKey {
  sequence: number;
  destinationKind: DestinationKind;
  content: string;
  spec: ExportSpec;
  trigger: RunTrigger;
  dueAt: Date;
  dueTimes: readonly Date[];
  date: string;
  window: Window;
  windowFromAt: Date | undefined;
  windowToAt: Date;
  completeUntil: Date | undefined;
  /** Of the span in which it is planned. */
  traceparent?: string | undefined;
}

/** The life of `export_run` rows outside of an attempt: planned, nudged, retried, cancelled, announced. */
export class RunStore {
  /** In the transaction that moves the schedule's `planned_to`. */
  async insert(tx: Sql, run: NewRun): Promise<void> {
    await tx.query(
      `INSERT INTO export_run (organization_id, id, integration_id, sequence, destination_kind, content, spec, trigger,
         due_at, due_times, date, window_from, window_to, window_from_at, window_to_at, complete_until, traceparent, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, delivery_now())`,
      [
        run.organizationId,
        run.id,
        run.integrationId,
        run.sequence,
        run.destinationKind,
        run.content,
        JSON.stringify(formatSpec(run.spec)),
        run.trigger,
        run.dueAt,
        run.dueTimes,
        run.date,
        JSON.stringify(formatPositions(run.window.from)),
        JSON.stringify(formatPositions(run.window.to)),
        run.windowFromAt ?? null,
        run.windowToAt,
        run.completeUntil ?? null,
        run.traceparent ?? null,
      ],
    );
  }

  async find(sql: Sql, key: RunKey): Promise<ExportRun | undefined> {
    const [row] = await sql.query<RunRow>(
      `SELECT ${runColumns} FROM export_run r WHERE organization_id = $1 AND id = $2`,
      [key.organizationId, key.id],
    );
    return row && toRun(row);
  }

  /** An organization's runs whose windows hold a record of the log, in the order in which they were planned. */
  async listHolding(sql: Sql, organizationId: string, record: PartitionPosition): Promise<ExportRun[]> {
    const { topic, partition, epoch, offset } = record;
    const bound = (column: string) =>
      `(coalesce((${column} #>> ARRAY[$2, $3, 'epoch'])::int, 0), coalesce((${column} #>> ARRAY[$2, $3, 'offset'])::numeric, 0))`;
    const rows = await sql.query<RunRow>(
      `SELECT ${runColumns} FROM export_run r WHERE organization_id = $1 AND ${bound('window_from')} <= ($4::int, $5::numeric)
         AND ${bound('window_to')} > ($4::int, $5::numeric) ORDER BY created_at, id`,
      [organizationId, topic, String(partition), epoch, offset.toString()],
    );
    return rows.map(toRun);
  }

  /** Gives a run that failed or was cancelled its tries back: it executes again over the window it had. */
  async retryFailed(sql: Sql, key: RunKey): Promise<'retried' | 'not_failed' | 'absent'> {
    const rows = await sql.query(
      `UPDATE export_run r SET status = 'pending', tries = 0, finished_at = NULL, nudged_at = NULL, result_code = NULL,
         result_message = NULL, changes = changes + 1
       FROM export_schedule s
       WHERE r.organization_id = $1 AND r.id = $2 AND r.status IN ('failed', 'cancelled')
         AND s.organization_id = r.organization_id AND s.integration_id = r.integration_id AND s.deleted_at IS NULL
       RETURNING 1`,
      [key.organizationId, key.id],
    );
    if (rows.length > 0) return 'retried';
    return (await this.find(sql, key)) === undefined ? 'absent' : 'not_failed';
  }

  /**
   * Whatever the run was doing, it is not delivered. An exporter that executes it notices when it renews its lease; until
   * then its name stays in the row, and no other run of the integration begins.
   */
  async cancel(sql: Sql, key: RunKey): Promise<'cancelled' | 'over' | 'absent'> {
    const rows = await sql.query(
      `UPDATE export_run SET status = 'cancelled', result_code = 'cancelled', result_message = 'The run was cancelled.',
         finished_at = delivery_now(), lease_until = NULL, retry_at = NULL, changes = changes + 1
       WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'running', 'retrying') RETURNING 1`,
      [key.organizationId, key.id],
    );
    if (rows.length > 0) return 'cancelled';
    return (await this.find(sql, key)) === undefined ? 'absent' : 'over';
  }

  /**
   * Takes runs away from exporters that stopped renewing their lease. They are tried again at once, until they were
   * tried `maxTries` times: a run that kills every exporter which takes it must not do so for ever.
   */
  async expireLeases(sql: Sql, { maxTries }: { maxTries: number }): Promise<ExportRun[]> {
    const rows = await sql.query<RunRow>(
      `UPDATE export_run r SET lease_owner = NULL, lease_until = NULL, result_code = 'lease_expired',
         result_message = 'The exporter stopped in the middle of the run' ||
           CASE WHEN tries < $1 THEN '; another one takes over.' ELSE ', ' || tries || ' times in a row.' END,
         status = CASE WHEN tries < $1 THEN 'retrying' ELSE 'failed' END,
         retry_at = CASE WHEN tries < $1 THEN delivery_now() END,
         finished_at = CASE WHEN tries < $1 THEN NULL ELSE delivery_now() END,
         nudged_at = NULL, changes = changes + 1
       WHERE status = 'running' AND lease_until < delivery_now() RETURNING ${runColumns}`,
      [maxTries],
    );
    return rows.map(toRun);
  }

  /** Runs that could be claimed and whose nudge was never sent, or was sent so long ago that it seems lost. */
  async listUnclaimed(
    sql: Sql,
    { olderThanSeconds, limit }: { olderThanSeconds: number; limit: number },
  ): Promise<ExportRun[]> {
    const rows = await sql.query<RunRow>(
      `SELECT ${runColumns} FROM export_run r
       WHERE status IN ('pending', 'retrying') AND (retry_at IS NULL OR retry_at <= delivery_now())
         AND (nudged_at IS NULL OR nudged_at <= retry_at OR nudged_at < delivery_now() - make_interval(secs => $1))
       ORDER BY created_at, id LIMIT $2`,
      [olderThanSeconds, limit],
    );
    return rows.map(toRun);
  }

  async markNudged(sql: Sql, runs: readonly RunKey[]): Promise<void> {
    await sql.query(
      `UPDATE export_run r SET nudged_at = delivery_now()
       FROM unnest($1::text[], $2::text[]) AS k(organization_id, id)
       WHERE r.organization_id = k.organization_id AND r.id = k.id`,
      [runs.map(({ organizationId }) => organizationId), runs.map(({ id }) => id)],
    );
  }

  /** Runs that changed since they were last announced, in the state they have now. */
  async listUnannounced(sql: Sql, limit: number): Promise<ExportRun[]> {
    const rows = await sql.query<RunRow>(
      `SELECT ${runColumns} FROM export_run r WHERE announced_changes < changes ORDER BY created_at, id LIMIT $1`,
      [limit],
    );
    return rows.map(toRun);
  }

  /** Records what was announced. A change that came meanwhile stays to be announced. */
  async markAnnounced(sql: Sql, runs: readonly (RunKey & { changes: number })[]): Promise<void> {
    await sql.query(
      `UPDATE export_run r SET announced_changes = greatest(announced_changes, k.changes)
       FROM unnest($1::text[], $2::text[], $3::int[]) AS k(organization_id, id, changes)
       WHERE r.organization_id = k.organization_id AND r.id = k.id`,
      [runs.map(({ organizationId }) => organizationId), runs.map(({ id }) => id), runs.map(({ changes }) => changes)],
    );
  }

  /** Other runs of the same day that began files and are not delivered: nobody else removes what they left. */
  async listAbandoned(sql: Sql, run: ExportRun): Promise<ExportRun[]> {
    const rows = await sql.query<RunRow>(
      `SELECT ${runColumns} FROM export_run r WHERE organization_id = $1 AND integration_id = $2 AND date = $3 AND id <> $4
         AND status IN ('pending', 'retrying', 'failed', 'cancelled') AND files_opened > 0 ORDER BY sequence`,
      [run.organizationId, run.integrationId, run.date, run.id],
    );
    return rows.map(toRun);
  }

  /** The layouts of the integration's runs of the same day that are delivered. */
  async listDeliveredLayouts(sql: Sql, run: ExportRun): Promise<string[]> {
    const rows = await sql.query<{ layout: string }>(
      `SELECT DISTINCT spec ->> 'layout' AS layout FROM export_run
       WHERE organization_id = $1 AND integration_id = $2 AND date = $3 AND status = 'completed'`,
      [run.organizationId, run.integrationId, run.date],
    );
    return rows.map(({ layout }) => layout);
  }

  /** Nothing of a run is in the bucket any more; without effect on one that executes meanwhile. */
  async forgetFiles(sql: Sql, key: RunKey): Promise<void> {
    await sql.query(
      `UPDATE export_run SET files_opened = 0, uploads = '[]'
       WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'retrying', 'failed', 'cancelled')`,
      [key.organizationId, key.id],
    );
  }

  /** Ids of the integration's runs before `sequence` whose windows are not delivered, in order. */
  async listMissing(sql: Sql, key: IntegrationKey, before: number): Promise<string[]> {
    const rows = await sql.query<{ id: string }>(
      `SELECT id FROM export_run WHERE organization_id = $1 AND integration_id = $2 AND sequence < $3
         AND status IN ('pending', 'running', 'retrying', 'failed', 'cancelled') ORDER BY sequence`,
      [key.organizationId, key.integrationId, before],
    );
    return rows.map(({ id }) => id);
  }
}
