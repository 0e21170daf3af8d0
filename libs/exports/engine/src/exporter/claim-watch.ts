import type { Attempt } from '@delivery/exports/store';

/**
 * Notices that an exporter with a free slot leaves a run to lie that it could claim: its claiming is broken. Runs that
 * wait because all slots are taken are no fault of the process.
 */
export class ClaimWatch {
  private seen: { key: string; since: number } | undefined;

  constructor(
    private readonly limitSeconds: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param run - the next one to claim, if there is any and a slot is free. @returns a sentence, once it lies for too long */
  look(run: Attempt | undefined): string | undefined {
    if (run === undefined) {
      this.seen = undefined;
      return undefined;
    }
    const key = `${run.organizationId} ${run.id} ${run.attempt}`;
    if (this.seen?.key !== key) this.seen = { key, since: this.now() };
    const seconds = Math.floor((this.now() - this.seen.since) / 1000);
    if (seconds < this.limitSeconds) return undefined;
    return `Run ${run.id} could have been claimed for ${seconds} s, and this exporter has a free slot. Its log tells why.`;
  }
}
