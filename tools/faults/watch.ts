import { setTimeout as delay } from 'node:timers/promises';
import { partialFiles } from '../oracle';
import type { CreatedExport } from '../world';

const pauseMs = 200;

/** Looks at buckets all the time, as a customer's job does that begins whenever it sees a `_SUCCESS`. */
export class BucketWatch {
  /** At an export's bucket, from end to end. */
  looks = 0;
  /** A store that did not answer has shown nothing. */
  failedLooks = 0;
  readonly found = new Set<string>();
  private readonly exports: CreatedExport[] = [];
  private readonly stopped = new AbortController();
  private readonly looking = this.look();

  watch(exported: CreatedExport): void {
    this.exports.push(exported);
  }

  get watching(): boolean {
    return this.exports.length > 0;
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.looking;
  }

  private async look(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      for (const { bucket, id } of this.exports) {
        const faults = await partialFiles(bucket, id).catch(() => undefined);
        if (faults === undefined) this.failedLooks += 1;
        else this.looks += 1;
        for (const fault of faults ?? []) this.found.add(fault);
      }
      await delay(pauseMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }
}
