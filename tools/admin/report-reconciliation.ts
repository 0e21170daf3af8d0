import { formatPositions, type LackingRun, type Reconciliation } from '@delivery/exports/domain';
import type { ReconcileResult } from './deliveries';

/** What was done for one integration, in sentences. */
export function describeReconciliation(answer: Reconciliation, manifests: number): string[] {
  const { lacking, settled, notes, nextDueAt } = answer;
  const changed = lacking.length + settled.length > 0;
  return [
    ...(changed ? [] : [`The database knows all ${manifests} deliveries of the bucket.`]),
    ...settled.map(({ manifest }) => `Run ${manifest.run} was delivered: it counts as completed.`),
    ...lacking.map(describeLacking),
    ...(changed ? [`The next window begins at ${JSON.stringify(formatPositions(answer.plannedTo))}.`] : []),
    ...(changed && nextDueAt !== undefined ? [`The next due time is ${nextDueAt.toISOString()}.`] : []),
    ...notes,
  ];
}

function describeLacking(lacking: LackingRun): string {
  if (lacking.kind === 'delivered') {
    const { run, date, totals } = lacking.found.manifest;
    return `Run ${run} of ${date} was delivered (${totals.events} events in ${totals.files} files): it was taken over as completed.`;
  }
  if (lacking.kind === 'unfinished') {
    return `Run ${lacking.found.manifest.run} was about to be completed: it is repeated, and writes the same files again.`;
  }
  const { id, date, window, filesOpened } = lacking.run;
  const name = id === undefined ? 'A run' : `Run ${id}`;
  const files = filesOpened > 0 ? ` It replaces ${filesOpened} files that it left.` : '';
  const same = JSON.stringify(formatPositions(window.from)) === JSON.stringify(formatPositions(window.to));
  if (same) return `${name} of ${date} was not delivered, and another run has its window: it delivers nothing.${files}`;
  return `${name} of ${date} was not delivered: it is planned again.${files}`;
}

/** The whole answer, for people. */
export function reportReconciliation({ integrations, went_back, released }: ReconcileResult, dryRun: boolean): string {
  const lines = [
    ...(dryRun ? ['Nothing is changed: this is what would be done.'] : []),
    went_back.length === 0
      ? 'Nothing was recorded that this database does not have.'
      : `This database is older than what was recorded once: ${went_back
          .map((each) => `partition ${each.partition} of ${each.topic} up to offset ${each.recorded_to}`)
          .join(', ')}.`,
    ...integrations.flatMap(({ organization_id, export_id, outcome, told }) => [
      `${organization_id} ${export_id}: ${outcome}`,
      ...told.map((line) => `  ${line}`),
    ]),
    ending(
      integrations.some(({ outcome }) => outcome === 'failed'),
      released,
      dryRun,
    ),
  ];
  return lines.join('\n');
}

function ending(failed: boolean, released: boolean, dryRun: boolean): string {
  if (released) return 'Recording and delivering go on.';
  if (failed) return 'Recording and delivering wait: see to what failed, then run this again.';
  return dryRun
    ? 'Without --dry-run, recording and delivering would go on.'
    : 'Recording and delivering wait until all integrations were reconciled: run this without --organization and --integration.';
}
