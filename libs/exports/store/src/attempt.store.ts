import type { Sql, Transaction } from '@delivery/platform/postgres';
import { type ExportRun, type RunProgress, type RunRow, runColumns, type StoredUpload, toRun } from './run';
import type { RunKey } from './run.store';
import type { DestinationKind } from './schedule';

/** Who executes a run: its row and the attempt that the claim gave. */
export interface Attempt extends RunKey {
  readonly attempt: number;
}

/** `lost`: another attempt was claimed, or the run was cancelled. Whoever reads it writes nothing more. */
export type Hold = 'held' | 'lost';

export interface ClaimOptions {
  /** Names the exporter in the row; any text. */
  owner: string;
  leaseSeconds: number;
  /** How many runs of one organization may execute at once. */
  perOrganization: number;
}

/**
 * Claimable: due, nothing of the integration executes, nothing of it that was planned earlier waits, and no exporter may
 * still be writing a run that was cancelled under its hands ($3: as long as its lease would have lasted).
 */
const claimable = `r.status IN ('pending', 'retrying') AND (r.retry_at IS NULL OR r.retry_at <= delivery_now())
  AND NOT EXISTS (
    SELECT FROM export_run e WHERE e.organization_id = r.organization_id AND e.integration_id = r.integration_id
      AND (e.status = 'running' OR (e.status IN ('pending', 'retrying') AND e.sequence < r.sequence)
        OR (e.status = 'cancelled' AND e.lease_owner IS NOT NULL
          AND e.finished_at > delivery_now() - make_interval(secs => $3))))
  AND (SELECT count(*) FROM export_run b WHERE b.organization_id = r.organization_id AND b.status = 'running')`;

/** The life of a run while one exporter executes it: every change names the attempt and is refused to an older one. */
export class AttemptStore {
  /** Claims the oldest run that may execute now, or none. Two exporters never get the same one. */
  async claimNext(tx: Transaction, kind: DestinationKind, options: ClaimOptions): Promise<ExportRun | undefined> {
    for (const candidate of await this.listClaimable(tx, kind, options, 10)) {
      const run = await this.claim(tx, candidate, options);
      if (run !== undefined) return run;
    }
    return undefined;
  }

  /** Runs that may be claimed now, in the order in which they are. */
  async listClaimable(
    sql: Sql,
    kind: DestinationKind,
    { perOrganization, leaseSeconds }: Pick<ClaimOptions, 'perOrganization' | 'leaseSeconds'>,
    limit: number,
  ): Promise<Attempt[]> {
    const rows = await sql.query<{ organization_id: string; id: string; attempt: number }>(
      `SELECT r.organization_id, r.id, r.attempt FROM export_run r WHERE r.destination_kind = $1 AND ${claimable} < $2
       ORDER BY r.created_at, r.id LIMIT $4`,
      [kind, perOrganization, leaseSeconds, limit],
    );
    return rows.map((row) => ({ organizationId: row.organization_id, id: row.id, attempt: row.attempt }));
  }

  /**
   * One conditional update. The lock before it lasts until the transaction ends and makes claims of one organization
   * take turns: the update's snapshot then sees every claim made before, which the candidates' snapshot may have missed.
   */
  private async claim(tx: Transaction, key: RunKey, options: ClaimOptions): Promise<ExportRun | undefined> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('export_run.claim:' || $1, 0))`, [
      key.organizationId,
    ]);
    const [row] = await tx.query<RunRow>(
      `UPDATE export_run r SET status = 'running', attempt = attempt + 1, tries = tries + 1, lease_owner = $5,
         lease_until = delivery_now() + make_interval(secs => $3), retry_at = NULL, finished_at = NULL,
         started_at = coalesce(started_at, delivery_now()), progress = '{}', changes = changes + 1
       WHERE organization_id = $1 AND id = $4 AND ${claimable} < $2 RETURNING ${runColumns}`,
      [key.organizationId, options.perOrganization, options.leaseSeconds, key.id, options.owner],
    );
    return row && toRun(row);
  }

  async renewLease(sql: Sql, run: Attempt, leaseSeconds: number, progress: RunProgress): Promise<Hold> {
    return this.change(sql, run, `lease_until = delivery_now() + make_interval(secs => $4), progress = $5`, [
      leaseSeconds,
      JSON.stringify(progress),
    ]);
  }

  /**
   * Before a file is begun: its number is remembered, so that a later attempt knows what may lie in the bucket. All
   * files before it are finished, hence no upload is open.
   */
  async openFile(sql: Sql, run: Attempt, number: number): Promise<Hold> {
    return this.change(sql, run, `files_opened = greatest(files_opened, $4 + 1), uploads = '[]'`, [number]);
  }

  /** Before an upload's first byte leaves, so that a later attempt can abort it even where listing is not allowed. */
  async recordUpload(sql: Sql, run: Attempt, upload: StoredUpload): Promise<Hold> {
    return this.change(sql, run, `uploads = uploads || jsonb_build_array($4::jsonb)`, [JSON.stringify(upload)]);
  }

  /**
   * The step before the manifest: whoever passes it holds the run for another whole lease.
   * @returns what the manifest chains to, unless the run is lost
   */
  async fence(
    sql: Sql,
    run: Attempt,
    leaseSeconds: number,
  ): Promise<{ hold: 'lost' } | { hold: 'held'; previous: { run: string; sha256: string } | undefined }> {
    const [row] = await sql.query<{ last_run_id: string | null; last_manifest_sha256: string | null }>(
      `UPDATE export_run r SET lease_until = delivery_now() + make_interval(secs => $4)
       FROM export_schedule s
       WHERE r.organization_id = $1 AND r.id = $2 AND r.attempt = $3 AND r.status = 'running'
         AND s.organization_id = r.organization_id AND s.integration_id = r.integration_id
       RETURNING s.last_run_id, s.last_manifest_sha256`,
      [run.organizationId, run.id, run.attempt, leaseSeconds],
    );
    if (row === undefined) return { hold: 'lost' };
    const { last_run_id: before, last_manifest_sha256: sha256 } = row;
    return { hold: 'held', previous: before === null || sha256 === null ? undefined : { run: before, sha256 } };
  }

  /** Delivered: the manifest becomes the one that the integration's next manifest chains to. */
  async complete(
    tx: Transaction,
    run: Attempt,
    result: { progress: RunProgress; manifestKey: string; manifestSha256: string; previousSha256: string | undefined },
  ): Promise<Hold> {
    const hold = await this.change(
      tx,
      run,
      `status = 'completed', finished_at = delivery_now(), lease_owner = NULL, lease_until = NULL, progress = $4,
       uploads = '[]', result_code = NULL, result_message = NULL, manifest_key = $5, manifest_sha256 = $6,
       previous_manifest_sha256 = $7, changes = changes + 1`,
      [JSON.stringify(result.progress), result.manifestKey, result.manifestSha256, result.previousSha256 ?? null],
    );
    if (hold === 'lost') return hold;
    await tx.query(
      `UPDATE export_schedule s SET last_run_id = r.id, last_manifest_sha256 = r.manifest_sha256
       FROM export_run r WHERE r.organization_id = $1 AND r.id = $2
         AND s.organization_id = r.organization_id AND s.integration_id = r.integration_id`,
      [run.organizationId, run.id],
    );
    return hold;
  }

  /** Somebody has to change something first; `message` tells what. */
  async fail(sql: Sql, run: Attempt, result: { code: string; message: string }): Promise<Hold> {
    return this.change(
      sql,
      run,
      `status = 'failed', finished_at = delivery_now(), lease_owner = NULL, lease_until = NULL, result_code = $4,
       result_message = $5, changes = changes + 1`,
      [result.code, result.message],
    );
  }

  /** A failure that passes by itself. */
  async retryLater(
    sql: Sql,
    run: Attempt,
    result: { code: string; message: string; delaySeconds: number },
  ): Promise<Hold> {
    return this.change(
      sql,
      run,
      `status = 'retrying', retry_at = delivery_now() + make_interval(secs => $6), lease_owner = NULL,
       lease_until = NULL, result_code = $4, result_message = $5, changes = changes + 1`,
      [result.code, result.message, result.delaySeconds],
    );
  }

  /** Gives the run back untried: the exporter stops, the run is not to blame. */
  async release(sql: Sql, run: Attempt, result: { code: string; message: string }): Promise<Hold> {
    return this.change(
      sql,
      run,
      `status = 'retrying', retry_at = delivery_now(), tries = tries - 1, lease_owner = NULL, lease_until = NULL,
       result_code = $4, result_message = $5, changes = changes + 1`,
      [result.code, result.message],
    );
  }

  /** The exporter has stopped writing a run that was cancelled: the integration's next one need not wait for it. */
  async letGo(sql: Sql, run: Attempt): Promise<void> {
    await sql.query(
      `UPDATE export_run SET lease_owner = NULL
       WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND status = 'cancelled'`,
      [run.organizationId, run.id, run.attempt],
    );
  }

  private async change(sql: Sql, run: Attempt, set: string, values: readonly unknown[]): Promise<Hold> {
    const rows = await sql.query(
      `UPDATE export_run SET ${set}
       WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND status = 'running' RETURNING 1`,
      [run.organizationId, run.id, run.attempt, ...values],
    );
    return rows.length > 0 ? 'held' : 'lost';
  }
}
