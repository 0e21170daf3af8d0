import {
  type ExportSpec,
  type ExportSpecJson,
  parsePositions,
  parseSpec,
  type Positions,
} from '@delivery/exports/domain';

export type DestinationKind = 's3' | 'gcs' | 'file';

export interface IntegrationKey {
  readonly organizationId: string;
  readonly integrationId: string;
}

/** When an integration is delivered, and up to where its deliveries are planned. */
export interface Schedule extends IntegrationKey {
  readonly destinationKind: DestinationKind;
  readonly content: string;
  readonly spec: ExportSpec;
  readonly frequencyDays: number;
  /** The first due time; all others are whole periods after it. */
  readonly anchorAt: Date;
  /** The next due time that is not planned yet; none while disabled. */
  readonly nextDueAt: Date | undefined;
  readonly enabled: boolean;
  readonly plannedTo: Positions;
  readonly plannedToAt: Date | undefined;
  readonly plannedRuns: number;
  /** Why a due run is not planned yet, as a sentence for the integration's owner. */
  readonly waitingFor: string | undefined;
  readonly waitingSince: Date | undefined;
  /** The manifest the next one chains to. */
  readonly lastManifest: { readonly run: string; readonly sha256: string } | undefined;
  readonly pausedAt: Date | undefined;
  readonly deletedAt: Date | undefined;
  readonly createdAt: Date;
}

export interface ScheduleRow {
  organization_id: string;
  integration_id: string;
  destination_kind: DestinationKind;
  content: string;
  spec: ExportSpecJson;
  frequency_days: number;
  anchor_at: Date;
  next_due_at: Date | null;
  enabled: boolean;
  planned_to: unknown;
  planned_to_at: Date | null;
  planned_runs: number;
  waiting_for: string | null;
  waiting_since: Date | null;
  last_run_id: string | null;
  last_manifest_sha256: string | null;
  paused_at: Date | null;
  deleted_at: Date | null;
  created_at: Date;
}

export const scheduleColumns = `organization_id, integration_id, destination_kind, content, spec, frequency_days, anchor_at,
  next_due_at, enabled, planned_to, planned_to_at, planned_runs, waiting_for, waiting_since, last_run_id,
  last_manifest_sha256, paused_at, deleted_at, created_at`;

export function toSchedule(row: ScheduleRow): Schedule {
  const { last_run_id: run, last_manifest_sha256: sha256 } = row;
  return {
    organizationId: row.organization_id,
    integrationId: row.integration_id,
    destinationKind: row.destination_kind,
    content: row.content,
    spec: parseSpec(row.spec),
    frequencyDays: row.frequency_days,
    anchorAt: row.anchor_at,
    nextDueAt: row.next_due_at ?? undefined,
    enabled: row.enabled,
    plannedTo: parsePositions(row.planned_to),
    plannedToAt: row.planned_to_at ?? undefined,
    plannedRuns: row.planned_runs,
    waitingFor: row.waiting_for ?? undefined,
    waitingSince: row.waiting_since ?? undefined,
    lastManifest: run === null || sha256 === null ? undefined : { run, sha256 },
    pausedAt: row.paused_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    createdAt: row.created_at,
  };
}
