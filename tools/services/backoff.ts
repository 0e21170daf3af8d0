const firstMs = 500;
const longestMs = 30_000;
/** A service that ran so long did not crash because of how it was started. */
const healthyMs = 60_000;

/** Pauses before the restarts of one service: doubled with each crash, from the start again after a long healthy time. */
export class Backoff {
  private crashes = 0;

  /** @param ranMs how long the service had run. @returns the pause before it is started again, in milliseconds */
  next(ranMs: number): number {
    if (ranMs >= healthyMs) this.crashes = 0;
    const pause = Math.min(longestMs, firstMs * 2 ** this.crashes);
    this.crashes += 1;
    return pause;
  }
}
