import { type ExporterKind, runRequested } from '@delivery/exports/schema';
import type { DestinationKind } from '@delivery/exports/store';
import type { Publisher } from '@delivery/platform/kafka';

/** Every kind of destination that has an exporter. */
export const exporterKinds: readonly ExporterKind[] = Object.keys(runRequested).filter(isExporterKind);

export interface NudgedRun {
  readonly organizationId: string;
  readonly id: string;
  readonly destinationKind: DestinationKind;
  /** Of the span in which the run was planned: the nudge belongs to its trace. */
  readonly traceparent: string | undefined;
}

/** Tells the exporters that these runs can be claimed. @returns those that somebody could be told of */
export async function publishNudges(
  publisher: Pick<Publisher, 'publish'>,
  runs: readonly NudgedRun[],
): Promise<NudgedRun[]> {
  const told: NudgedRun[] = [];
  for (const kind of exporterKinds) {
    const mine = runs.filter((run) => run.destinationKind === kind);
    if (mine.length === 0) continue;
    const topic = runRequested[kind];
    const messages = mine.map(({ organizationId, id, traceparent }) => {
      const message = { organization_id: organizationId, run_id: id };
      return {
        key: topic.key(message),
        value: topic.encode(message),
        ...(traceparent && { headers: { traceparent } }),
      };
    });
    await publisher.publish(topic.name, messages);
    told.push(...mine);
  }
  return told;
}

function isExporterKind(kind: string): kind is ExporterKind {
  return kind in runRequested;
}
