import { ConsentReadStore, type EventPlace } from '@delivery/consent/store';
import { parseSpec, runKeys } from '@delivery/exports/domain';
import { type ExportRun, RunStore } from '@delivery/exports/store';
import type { Database } from '@delivery/platform/postgres';
import { parseTraceparent } from '@delivery/platform/tracing';
import { AdminError } from './errors';

/** What became of one event, from its place in the log to the files of the runs whose windows hold it. */
export interface EventTrace {
  place: EventPlace;
  runs: ExportRun[];
}

/** @throws AdminError `not_found` */
export async function traceEvent(database: Database, organizationId: string, eventId: string): Promise<EventTrace> {
  const place = await new ConsentReadStore(database).eventPlace(organizationId, eventId);
  if (place === undefined) {
    throw new AdminError(
      'not_found',
      `No event "${eventId}" was recorded for ${organizationId}. If it was sent: a recorder has not come to it yet ` +
        '(ingest_backlog_messages), or it was rejected (ingest_rejection has the message and the reasons).',
    );
  }
  return { place, runs: await new RunStore().listHolding(database, organizationId, place) };
}

/** As `--json` shows it. */
export function traceJson({ place, runs }: EventTrace): object {
  const { offset, arrivedAt, effectiveAt, ...rest } = place;
  const event = { ...rest, offset: String(offset), arrived_at: arrivedAt, effective_at: effectiveAt };
  return { event, runs: runs.map(runJson) };
}

function runJson(run: ExportRun) {
  return {
    run: run.id,
    export_id: run.integrationId,
    destination: run.destinationKind,
    status: run.status,
    due_at: run.dueAt,
    finished_at: run.finishedAt ?? null,
    files: filesOf(run),
    manifest: run.manifestKey ?? null,
    trace_id: parseTraceparent(run.traceparent)?.traceId ?? null,
  };
}

/** The data files of a delivered run; which of them has the event, only reading them tells. */
function filesOf(run: ExportRun): string[] {
  if (run.status !== 'completed') return [];
  const keys = runKeys(parseSpec(run.spec).layout, { id: run.integrationId, date: run.date, run: run.id });
  return Array.from({ length: run.progress.files ?? 0 }, (_, number) => keys.file(number));
}

/** As people read it. */
export function traceText({ place, runs }: EventTrace): string {
  const { topic, partition, epoch, offset, status, version, regulation, guest } = place;
  const told = [
    `Offset ${offset} of partition ${partition} of ${topic} (epoch ${epoch}), arrived ${place.arrivedAt.toISOString()}.`,
    `Recorded: version ${version}, ${status}, regulation ${regulation}${guest ? ', of a guest' : ''}.`,
  ];
  if (status !== 'confirmed') told.push('It is in no file as long as it is not confirmed.');
  else if (guest) told.push('It is in files only of runs that were planned while the organization exports guests.');
  if (runs.length === 0) told.push('No run has it in its window yet: it will be in the next one of each export.');
  return [...told, ...runs.flatMap(runText)].join('\n');
}

function runText(run: ExportRun): string[] {
  const { trace_id: traceId, files, manifest } = runJson(run);
  const how = run.finishedAt === undefined ? run.status : `${run.status} ${run.finishedAt.toISOString()}`;
  return [
    `Run ${run.id} of export ${run.integrationId} (${run.destinationKind}): ${how}${run.resultMessage ? `, ${run.resultMessage}` : ''}`,
    ...(manifest === null ? [] : [`  manifest  ${manifest}`]),
    ...files.map((key) => `  file      ${key}`),
    ...(traceId === null ? [] : [`  trace     ${traceId}`]),
  ];
}
