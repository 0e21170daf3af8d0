import type { Backlog } from '@delivery/exports/store';
import type { IngestPosition, RejectionBacklog } from '@delivery/ingest/store';
import { gaugeSpec, type GaugeSpec, type Metrics } from '@delivery/platform/service';

const runsOpen = gaugeSpec('export_runs_open', 'Runs that are not delivered, of integrations that exist.', [
  'kind',
  'status',
]);
const runAge = gaugeSpec(
  'export_run_age_seconds',
  'Age of the oldest run that is not delivered: since it was planned; of running ones, since it was first claimed.',
  ['kind', 'status'],
);
const undeliveredDue = gaugeSpec(
  'export_undelivered_due_seconds',
  'Since the oldest due time that is not delivered and may still be; 0 when nothing is due.',
  ['kind'],
);
const runsWaiting = gaugeSpec('export_runs_waiting', 'Due runs that wait for the recorder to pass their due time.', [
  'kind',
]);
const runWaitingAge = gaugeSpec(
  'export_run_waiting_seconds',
  'Since the first of the runs in export_runs_waiting waits.',
  ['kind'],
);
const runUnclaimed = gaugeSpec(
  'export_run_unclaimed_seconds',
  'Since the oldest run that no exporter has claimed could have been claimed.',
  ['kind'],
);
const exportLag = gaugeSpec(
  'export_lag_seconds',
  'Since the time up to which everything is delivered (complete_until), of the integration that is furthest behind.',
  ['kind'],
);
const leasesOverdue = gaugeSpec('export_leases_overdue', 'Leases that ran out and were not taken away yet.');
const changesUnannounced = gaugeSpec('export_changes_unannounced', 'Runs whose last change was not announced yet.');
const positionMessages = gaugeSpec(
  'ingest_position_messages',
  'Messages that the recorders have passed since the present epochs began, by how they ended: as stored with the positions.',
  ['topic', 'outcome'],
);
const partitionsStopped = gaugeSpec('ingest_positions_stopped', 'Partitions that wait for an operator, as stored.', [
  'topic',
]);
const backlogMessages = gaugeSpec(
  'ingest_backlog_messages',
  'Messages in the log that are not recorded, over all partitions, whether a recorder runs or not.',
  ['topic'],
);

const rejectionsUnpublished = gaugeSpec(
  'ingest_rejections_unpublished',
  'Rejected messages that were not copied to their topic yet.',
);
const rejectionsAge = gaugeSpec(
  'ingest_rejections_unpublished_seconds',
  'Since the oldest of the rejections in ingest_rejections_unpublished arrived.',
);

export const backlogMetricSpecs: readonly GaugeSpec[] = [
  runsOpen,
  runAge,
  undeliveredDue,
  runsWaiting,
  runWaitingAge,
  runUnclaimed,
  exportLag,
  leasesOverdue,
  changesUnannounced,
  positionMessages,
  partitionsStopped,
  backlogMessages,
  rejectionsUnpublished,
  rejectionsAge,
];

const outcomes = ['recorded', 'duplicates', 'rejected', 'suppressed', 'control'] as const;
const openStatuses = ['pending', 'running', 'retrying', 'failed'] as const;

/** The numbers of the platform as a whole. Every scheduler shows the same: take the largest, do not add them up. */
export class BacklogGauges {
  constructor(private readonly metrics: Metrics) {}

  show(backlog: Backlog, positions: readonly IngestPosition[]): void {
    this.showRuns(backlog);
    this.showPositions(positions);
  }

  rejections({ messages, oldestSeconds }: RejectionBacklog): void {
    this.metrics.gauge(rejectionsUnpublished).set(messages);
    this.metrics.gauge(rejectionsAge).set(oldestSeconds);
  }

  behind(topic: string, messages: bigint): void {
    this.metrics.gauge(backlogMessages).set({ topic }, Number(messages));
  }

  /** Shows no number until it is read again. */
  forget(): void {
    for (const spec of backlogMetricSpecs) {
      const gauge = this.metrics.gauge(spec);
      gauge.reset();
      if (spec.labels.length === 0) gauge.set(Number.NaN); // reset to 0 would say that nothing is late
    }
  }

  private showRuns({ open, late, overdueLeases, unannounced }: Backlog): void {
    const { metrics } = this;
    for (const { kind } of late) {
      for (const status of openStatuses) {
        const found = open.find((each) => each.kind === kind && each.status === status);
        metrics.gauge(runsOpen).set({ kind, status }, found?.runs ?? 0);
        metrics.gauge(runAge).set({ kind, status }, found?.oldestSeconds ?? 0);
      }
    }
    for (const { kind, ...each } of late) {
      metrics.gauge(undeliveredDue).set({ kind }, each.dueSeconds);
      metrics.gauge(runsWaiting).set({ kind }, each.waiting);
      metrics.gauge(runWaitingAge).set({ kind }, each.waitingSeconds);
      metrics.gauge(runUnclaimed).set({ kind }, each.unclaimedSeconds);
      metrics.gauge(exportLag).set({ kind }, each.lagSeconds);
    }
    metrics.gauge(leasesOverdue).set(overdueLeases);
    metrics.gauge(changesUnannounced).set(unannounced);
  }

  private showPositions(positions: readonly IngestPosition[]): void {
    for (const topic of new Set(positions.map((position) => position.topic))) {
      const own = positions.filter((position) => position.topic === topic);
      for (const outcome of outcomes) {
        const sum = own.reduce((total, position) => total + position[outcome], 0n);
        this.metrics.gauge(positionMessages).set({ topic, outcome }, Number(sum));
      }
      const halted = own.filter(({ status }) => status === 'stopped').length;
      this.metrics.gauge(partitionsStopped).set({ topic }, halted);
    }
  }
}
