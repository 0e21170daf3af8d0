import { setTimeout as delay } from 'node:timers/promises';
import type { ExportRun } from '@delivery/exports/store';

export interface RunSlotsDeps<R> {
  /** Runs executed at once. */
  readonly slots: number;
  claim(): Promise<R | undefined>;
  /** Never rejects. `claimedAt` is `performance.now()` before the claim was sent. */
  execute(run: R, options: { claimedAt: number; signal: AbortSignal }): Promise<void>;
  /** A claim failed; the next nudge or look tries again. */
  onError(error: unknown): void;
}

/**
 * Executes runs as long as there are any, a bounded number at once. Whoever knows of runs only says so: what is claimed,
 * and by whom, is decided by the rows.
 */
export class RunSlots<R = ExportRun> {
  private readonly stopping = new AbortController();
  private readonly executing = new Set<Promise<void>>();
  private claiming: Promise<void> | undefined;
  private again = false;

  constructor(private readonly deps: RunSlotsDeps<R>) {}

  get busy(): number {
    return this.executing.size;
  }

  /** There may be runs. Returns at once; a nudge during a claim is not lost. */
  wake(): void {
    this.again = true;
    this.claiming ??= this.fill().finally(() => {
      this.claiming = undefined;
      // Somebody may have called between the end of the loop and here.
      if (this.again && this.mayClaim) this.wake();
    });
  }

  /** Looks by itself from time to time, so that runs get on also while nobody can send nudges. Ends with `stop`. */
  async poll(everySeconds: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.wake();
      await delay(everySeconds * 1000, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Claims nothing more, and waits until the runs in hand are given back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.claiming;
    await Promise.all(this.executing);
  }

  private get mayClaim(): boolean {
    return this.executing.size < this.deps.slots && !this.stopping.signal.aborted;
  }

  private async fill(): Promise<void> {
    while (this.again && this.mayClaim) {
      this.again = false;
      const claimedAt = performance.now();
      try {
        const run = await this.deps.claim();
        if (run === undefined) continue;
        this.begin(run, claimedAt);
        this.again = true;
      } catch (error) {
        this.deps.onError(error);
      }
    }
  }

  private begin(run: R, claimedAt: number): void {
    const execution = this.deps.execute(run, { claimedAt, signal: this.stopping.signal }).finally(() => {
      this.executing.delete(execution);
      // A freed slot is a reason to look: whatever nudged while all were taken was not heard.
      this.wake();
    });
    this.executing.add(execution);
  }
}
