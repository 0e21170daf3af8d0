import type { RunStatus } from '@delivery/exports/domain';
import type { RunLog, WaitingRun } from '@delivery/exports/store';
import type { ExportLogStatus, RunResponse, WaitingRunResponse } from '@delivery/integrations/schema';

/** Which states of a run the contract's three words stand for (contracts.md §1.8). */
export const STATES_OF: Readonly<Record<ExportLogStatus, readonly RunStatus[]>> = {
  pending: ['pending', 'running', 'retrying'],
  completed: ['completed'],
  failed: ['failed', 'cancelled'],
};

/** A run as clients see it. */
export function toRunResponse(run: RunLog): RunResponse {
  const status = statusOf(run.status);
  const { files = 0, bytes = 0, rows = 0, users = 0, events = 0 } = run.progress;
  return {
    id: run.id,
    export_id: run.integrationId,
    organization_id: run.organizationId,
    status,
    config: { frequency: `${run.frequencyDays} day` },
    metrics: { users: status === 'completed' ? users : 0 },
    result: status === 'failed' ? (run.resultMessage ?? null) : null,
    state: run.status,
    result_code: run.resultCode ?? null,
    result_message: run.resultMessage ?? null,
    trigger: run.trigger,
    date: run.date,
    due_at: run.dueAt.toISOString(),
    due_times: run.dueTimes.map((time) => time.toISOString()),
    created_at: run.createdAt.toISOString(),
    started_at: iso(run.startedAt),
    finished_at: iso(run.finishedAt),
    window: { from_at: iso(run.windowFromAt), to_at: run.windowToAt.toISOString() },
    complete_until: iso(run.completeUntil),
    attempt: run.attempt,
    next_retry_at: iso(run.nextRetryAt),
    files,
    bytes,
    rows,
    progress: { ...run.progress, files, bytes, rows, users, events },
    missing: run.missing,
    manifest_key: run.manifestKey ?? null,
  };
}

export function toWaitingResponse(run: WaitingRun): WaitingRunResponse {
  return {
    export_id: run.integrationId,
    due_at: run.dueAt.toISOString(),
    waiting_for: run.waitingFor,
    waiting_since: run.waitingSince.toISOString(),
  };
}

function statusOf(state: RunStatus): ExportLogStatus {
  switch (state) {
    case 'pending':
    case 'running':
    case 'retrying':
      return 'pending';
    case 'completed':
      return 'completed';
    case 'failed':
    case 'cancelled':
      return 'failed';
  }
}

function iso(time: Date | undefined): string | null {
  return time?.toISOString() ?? null;
}
