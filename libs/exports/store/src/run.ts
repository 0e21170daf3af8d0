import {
  type ExportSpecJson,
  makeWindow,
  parsePositions,
  type RunStatus,
  type RunTrigger,
  type Window,
} from '@delivery/exports/domain';
import type { DestinationKind, IntegrationKey } from './schedule';

/** How far an attempt is. Rates and estimates are of this attempt. */
export interface RunProgress {
  files: number;
  /** Written to the destination, that is compressed. */
  bytes: number;
  rows: number;
  users: number;
  events: number;
  events_per_second?: number;
  /** How many events the window holds; once known. */
  estimated_events?: number;
}

/** An upload that a store keeps until it is finished or aborted. */
export interface StoredUpload {
  key: string;
  uploadId: string;
}

/** One execution of an integration over one window: the row of `export_run`. */
export interface ExportRun extends IntegrationKey {
  readonly id: string;
  /** 1 for the first run of the integration; runs execute in this order. */
  readonly sequence: number;
  readonly destinationKind: DestinationKind;
  readonly content: string;
  /** As stored: read it with `parseSpec`, whose refusal is a result of this run. */
  readonly spec: ExportSpecJson;
  readonly trigger: RunTrigger;
  readonly dueAt: Date;
  readonly dueTimes: readonly Date[];
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly window: Window;
  /** `undefined` for an integration's first run, which begins where recording began. */
  readonly windowFromAt: Date | undefined;
  readonly windowToAt: Date;
  readonly completeUntil: Date | undefined;
  readonly status: RunStatus;
  /** Raised by every claim: whoever holds a lower one may change nothing any more. */
  readonly attempt: number;
  /** Claims since the run was planned or retried by hand. */
  readonly tries: number;
  readonly leaseOwner: string | undefined;
  readonly leaseUntil: Date | undefined;
  readonly retryAt: Date | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly progress: Partial<RunProgress>;
  /** How many file numbers any attempt has ever begun to write: 0 to filesOpened - 1. */
  readonly filesOpened: number;
  readonly uploads: readonly StoredUpload[];
  readonly resultCode: string | undefined;
  readonly resultMessage: string | undefined;
  readonly manifestKey: string | undefined;
  readonly manifestSha256: string | undefined;
  readonly changes: number;
  /** Of the span in which the run was planned, when that trace is kept. */
  readonly traceparent: string | undefined;
}

export interface RunRow {
  organization_id: string;
  id: string;
  integration_id: string;
  sequence: number;
  destination_kind: DestinationKind;
  content: string;
  spec: ExportSpecJson;
  trigger: RunTrigger;
  due_at: Date;
  due_times: Date[];
  date: string;
  window_from: unknown;
  window_to: unknown;
  window_from_at: Date | null;
  window_to_at: Date;
  complete_until: Date | null;
  status: RunStatus;
  attempt: number;
  tries: number;
  lease_owner: string | null;
  lease_until: Date | null;
  retry_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  progress: Partial<RunProgress>;
  files_opened: number;
  uploads: StoredUpload[];
  result_code: string | null;
  result_message: string | null;
  manifest_key: string | null;
  manifest_sha256: string | null;
  changes: number;
  traceparent: string | null;
}

/** Every column a run is made of, of the table or alias `r`. */
export const runColumns = `r.organization_id, r.id, r.integration_id, r.sequence, r.destination_kind, r.content, r.spec, r.trigger,
  r.due_at, r.due_times, r.date, r.window_from, r.window_to, r.window_from_at, r.window_to_at, r.complete_until, r.status,
  r.attempt, r.tries, r.lease_owner, r.lease_until, r.retry_at, r.created_at, r.started_at, r.finished_at, r.progress,
  r.files_opened, r.uploads, r.result_code, r.result_message, r.manifest_key, r.manifest_sha256, r.changes, r.traceparent`;

export function toRun(row: RunRow): ExportRun {
  return {
    organizationId: row.organization_id,
    integrationId: row.integration_id,
    id: row.id,
    sequence: row.sequence,
    destinationKind: row.destination_kind,
    content: row.content,
    spec: row.spec,
    trigger: row.trigger,
    dueAt: row.due_at,
    dueTimes: row.due_times,
    date: row.date,
    window: makeWindow(parsePositions(row.window_from), parsePositions(row.window_to)),
    windowFromAt: row.window_from_at ?? undefined,
    windowToAt: row.window_to_at,
    completeUntil: row.complete_until ?? undefined,
    status: row.status,
    attempt: row.attempt,
    tries: row.tries,
    leaseOwner: row.lease_owner ?? undefined,
    leaseUntil: row.lease_until ?? undefined,
    retryAt: row.retry_at ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    progress: row.progress,
    filesOpened: row.files_opened,
    uploads: row.uploads,
    resultCode: row.result_code ?? undefined,
    resultMessage: row.result_message ?? undefined,
    manifestKey: row.manifest_key ?? undefined,
    manifestSha256: row.manifest_sha256 ?? undefined,
    changes: row.changes,
    traceparent: row.traceparent ?? undefined,
  };
}
