import type { RunStatus } from '@delivery/exports/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { DestinationKind } from './schedule';

/** Runs of one kind that are not delivered, in one status. */
export interface OpenRuns {
  kind: DestinationKind;
  status: RunStatus;
  runs: number;
  /** Since the oldest was planned; while it executes, since it was first claimed. */
  oldestSeconds: number;
}

/** What is late, of one kind of destination; 0 when nothing is. All times are in seconds, by Postgres' clock. */
export interface Lateness {
  kind: DestinationKind;
  /** Since the oldest due time whose run is not delivered and may still be, planned or not. */
  dueSeconds: number;
  /** Due runs that are not planned, because the recorder has not passed their due time, and since when the first waits. */
  waiting: number;
  waitingSeconds: number;
  /** Since the oldest run could have been claimed by an exporter. */
  unclaimedSeconds: number;
  /** Since the time up to which everything is delivered, of the integration that is furthest behind. */
  lagSeconds: number;
}

export interface Backlog {
  open: OpenRuns[];
  late: Lateness[];
  /** Leases that ran out and that nobody has taken away yet. */
  overdueLeases: number;
  /** Runs with a change that was not announced yet. */
  unannounced: number;
}

/** What the platform still has to do, over all organizations: for the operator's gauges. */
export class BacklogReadModel {
  /** @param kinds - told of also when there is nothing of them */
  async read(sql: Sql, kinds: readonly DestinationKind[]): Promise<Backlog> {
    const [counts] = await sql.query<{ overdue: number; unannounced: number }>(
      `SELECT (SELECT count(*)::int FROM export_run WHERE status = 'running' AND lease_until < delivery_now()) AS overdue,
         (SELECT count(*)::int FROM export_run WHERE announced_changes < changes) AS unannounced`,
    );
    return {
      open: await this.open(sql),
      late: await this.late(sql, kinds),
      overdueLeases: counts?.overdue ?? 0,
      unannounced: counts?.unannounced ?? 0,
    };
  }

  private async open(sql: Sql): Promise<OpenRuns[]> {
    return sql.query<OpenRuns & Record<string, unknown>>(
      `SELECT r.destination_kind AS kind, r.status, count(*)::int AS runs,
         extract(epoch FROM delivery_now() - min(CASE r.status WHEN 'running' THEN r.started_at ELSE r.created_at END))::float8
           AS "oldestSeconds"
       FROM export_run r JOIN export_schedule s USING (organization_id, integration_id)
       WHERE r.status IN ('pending', 'running', 'retrying', 'failed') AND s.deleted_at IS NULL
       GROUP BY r.destination_kind, r.status`,
    );
  }

  private async late(sql: Sql, kinds: readonly DestinationKind[]): Promise<Lateness[]> {
    return sql.query<Lateness & Record<string, unknown>>(
      `WITH schedule AS (
         SELECT destination_kind AS kind, min(next_due_at) FILTER (WHERE next_due_at <= delivery_now()) AS due_at,
           (count(*) FILTER (WHERE waiting_for IS NOT NULL AND next_due_at <= delivery_now()))::int AS waiting,
           min(waiting_since) FILTER (WHERE waiting_for IS NOT NULL AND next_due_at <= delivery_now()) AS waiting_since
         FROM export_schedule WHERE deleted_at IS NULL GROUP BY destination_kind
       ), run AS (
         SELECT destination_kind AS kind, min(due_at) AS due_at FROM export_run
         WHERE status IN ('pending', 'running', 'retrying') GROUP BY destination_kind
       ), unclaimed AS (
         SELECT r.destination_kind AS kind, min(greatest(r.created_at, r.retry_at)) AS since FROM export_run r
         WHERE r.status IN ('pending', 'retrying') AND (r.retry_at IS NULL OR r.retry_at <= delivery_now())
           AND NOT EXISTS (
             SELECT FROM export_run e WHERE e.organization_id = r.organization_id AND e.integration_id = r.integration_id
               AND (e.status = 'running' OR (e.status IN ('pending', 'retrying') AND e.sequence < r.sequence)))
         GROUP BY r.destination_kind
       ), delivered AS (
         SELECT s.destination_kind AS kind, min(r.complete_until) AS until
         FROM export_schedule s JOIN export_run r ON r.organization_id = s.organization_id AND r.id = s.last_run_id
         WHERE s.enabled AND s.deleted_at IS NULL GROUP BY s.destination_kind
       )
       SELECT kind, coalesce(schedule.waiting, 0) AS waiting, ${secondsSince('least(schedule.due_at, run.due_at)')} AS "dueSeconds",
         ${secondsSince('schedule.waiting_since')} AS "waitingSeconds", ${secondsSince('unclaimed.since')} AS "unclaimedSeconds",
         ${secondsSince('delivered.until')} AS "lagSeconds"
       FROM unnest($1::text[]) AS kind LEFT JOIN schedule USING (kind) LEFT JOIN run USING (kind) LEFT JOIN unclaimed USING (kind) LEFT JOIN delivered USING (kind)`,
      [kinds],
    );
  }
}

function secondsSince(time: string): string {
  return `greatest(0, coalesce(extract(epoch FROM delivery_now() - ${time}), 0))::float8`;
}
