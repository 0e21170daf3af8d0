/**
 * How long the next message of a partition has waited to be recorded, without reading it: it arrived after the last one
 * that was recorded, and after the last time that nothing waited. Never too little, but for clocks that differ.
 */
export class WaitingTime {
  private nothingWaitedAt: Date | undefined;

  constructor(private readonly begun = new Date()) {}

  /** @param arrivedAt - append time of the last recorded message */
  seconds(behind: bigint, arrivedAt: Date | undefined, now: Date): number {
    if (behind === 0n) {
      this.nothingWaitedAt = now;
      return 0;
    }
    const since = Math.max(arrivedAt?.getTime() ?? 0, this.nothingWaitedAt?.getTime() ?? 0);
    return Math.max(0, (now.getTime() - (since === 0 ? this.begun.getTime() : since)) / 1000);
  }
}
