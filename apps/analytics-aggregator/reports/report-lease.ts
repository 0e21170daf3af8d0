import type { ReportHold } from '@delivery/analytics/store';

/**
 * The hold on a report, renewed in the background. `signal` aborts when another process has the report, and when this one
 * stops. Writing on without a lease does no harm, only work: the files would be the same, and publishing asks the row.
 */
export class ReportLease {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly stop = (): void => this.controller.abort(new Error('the process stops'));
  readonly signal: AbortSignal = this.controller.signal;
  /** Somebody else has the report. */
  lost = false;

  constructor(
    renew: () => Promise<ReportHold>,
    leaseSeconds: number,
    private readonly stopping: AbortSignal,
  ) {
    this.timer = setInterval(() => void this.renewed(renew), (leaseSeconds * 1000) / 4);
    stopping.addEventListener('abort', this.stop, { once: true });
    if (stopping.aborted) this.stop();
  }

  close(): void {
    clearInterval(this.timer);
    this.stopping.removeEventListener('abort', this.stop);
  }

  private async renewed(renew: () => Promise<ReportHold>): Promise<void> {
    try {
      if ((await renew()) === 'held') return;
    } catch {
      // Tried again with the next tick. When the outage lasts longer than the lease, the next answer is 'lost'.
      return;
    }
    this.lost = true;
    this.controller.abort(new Error('another process makes the report'));
  }
}
