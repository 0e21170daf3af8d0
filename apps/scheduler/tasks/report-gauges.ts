import type { ReportBacklog } from '@delivery/analytics/store';
import { gaugeSpec, type GaugeSpec, type Metrics } from '@delivery/platform/service';

const reportsOpen = gaugeSpec(
  'analytics_reports_open',
  'Reports that are planned and not published; failing are those whose last attempt failed.',
  ['state'],
);
const reportLate = gaugeSpec(
  'analytics_report_late_seconds',
  'Since the first report was promised that is not published, planned or not; 0 when none is late.',
);

export const reportGaugeSpecs: readonly GaugeSpec[] = [reportsOpen, reportLate];

/** Reports of the platform as a whole. Every scheduler shows the same: take the largest, do not add them up. */
export class ReportGauges {
  constructor(private readonly metrics: Metrics) {}

  show({ pending, running, failing }: Omit<ReportBacklog, 'lateSeconds'>, lateSeconds: number): void {
    for (const [state, reports] of Object.entries({ pending, running, failing })) {
      this.metrics.gauge(reportsOpen).set({ state }, reports);
    }
    this.metrics.gauge(reportLate).set(lateSeconds);
  }

  /** Shows no number until it is read again. */
  forget(): void {
    this.metrics.gauge(reportsOpen).reset();
    this.metrics.gauge(reportLate).set(Number.NaN); // 0 would say that nothing is late
  }
}
