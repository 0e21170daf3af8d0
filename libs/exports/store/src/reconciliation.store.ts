import { formatPositions, type Manifest, type Positions, type RunStatus } from '@delivery/exports/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { RunKey } from './run.store';
import type { IntegrationKey, Schedule } from './schedule';

/** Higher than any attempt that was claimed by the time. */
const LEAP = 1000;

/** A run that was delivered, as its manifest tells. */
export interface DeliveredManifest {
  readonly manifest: Manifest;
  readonly key: string;
  readonly sha256: string;
}

/** Writes down what a database does not know that went back: runs that were delivered, planned or lost since. */
export class ReconciliationStore {
  /** Integrations with a schedule, in order. */
  async listIntegrations(
    sql: Sql,
    only: { organizationId?: string; integrationId?: string } = {},
  ): Promise<IntegrationKey[]> {
    const rows = await sql.query<{ organization_id: string; integration_id: string }>(
      `SELECT organization_id, integration_id FROM export_schedule WHERE deleted_at IS NULL
         AND ($1::text IS NULL OR organization_id = $1) AND ($2::text IS NULL OR integration_id = $2)
       ORDER BY organization_id, integration_id`,
      [only.organizationId ?? null, only.integrationId ?? null],
    );
    return rows.map((row) => ({ organizationId: row.organization_id, integrationId: row.integration_id }));
  }

  async statusesOf(sql: Sql, key: IntegrationKey): Promise<Map<string, RunStatus>> {
    const rows = await sql.query<{ id: string; status: RunStatus }>(
      `SELECT id, status FROM export_run WHERE organization_id = $1 AND integration_id = $2`,
      [key.organizationId, key.integrationId],
    );
    return new Map(rows.map(({ id, status }) => [id, status]));
  }

  /**
   * Nobody who claimed a run before the database went back may change it any more: the numbers of their attempts would
   * be given a second time.
   */
  async outdateAttempts(sql: Sql, key: IntegrationKey): Promise<void> {
    await sql.query(
      `UPDATE export_run SET attempt = attempt + ${LEAP}
       WHERE organization_id = $1 AND integration_id = $2 AND status <> 'completed'`,
      [key.organizationId, key.integrationId],
    );
  }

  /** For a run just inserted whose id was in use before: its attempts begin where no exporter of that time is. */
  async adopt(tx: Sql, { organizationId, id }: RunKey, filesOpened: number): Promise<void> {
    await tx.query(
      `UPDATE export_run SET attempt = ${LEAP}, files_opened = $3 WHERE organization_id = $1 AND id = $2`,
      [organizationId, id, filesOpened],
    );
  }

  /** Whatever the row said, the run is delivered. */
  async settle(
    tx: Sql,
    { organizationId }: IntegrationKey,
    { manifest, key, sha256 }: DeliveredManifest,
  ): Promise<void> {
    await tx.query(
      `UPDATE export_run SET status = 'completed', started_at = coalesce(started_at, delivery_now()),
         finished_at = delivery_now(), lease_owner = NULL, lease_until = NULL, retry_at = NULL, progress = $3,
         uploads = '[]', files_opened = greatest(files_opened, $4), result_code = NULL, result_message = NULL,
         manifest_key = $5, manifest_sha256 = $6, previous_manifest_sha256 = $7, changes = changes + 1
       WHERE organization_id = $1 AND id = $2 AND status <> 'completed'`,
      [
        organizationId,
        manifest.run,
        JSON.stringify(manifest.totals),
        manifest.files.length,
        key,
        sha256,
        manifest.previous?.sha256 ?? null,
      ],
    );
  }

  /** Never backwards: what the schedule has is compared by whoever locked it. */
  async moveForward(
    tx: Sql,
    schedule: Schedule,
    to: {
      plannedTo: Positions;
      plannedToAt: Date | undefined;
      plannedRuns: number;
      nextDueAt: Date | undefined;
      last: { run: string; sha256: string } | undefined;
    },
  ): Promise<void> {
    await tx.query(
      `UPDATE export_schedule SET planned_to = $3, planned_to_at = $4, planned_runs = $5, next_due_at = $6,
         last_run_id = coalesce($7, last_run_id), last_manifest_sha256 = coalesce($8, last_manifest_sha256),
         waiting_for = NULL, waiting_since = NULL, updated_at = delivery_now()
       WHERE organization_id = $1 AND integration_id = $2`,
      [
        schedule.organizationId,
        schedule.integrationId,
        JSON.stringify(formatPositions(to.plannedTo)),
        to.plannedToAt ?? null,
        to.plannedRuns,
        to.nextDueAt ?? null,
        to.last?.run ?? null,
        to.last?.sha256 ?? null,
      ],
    );
  }
}
