import { setTimeout as delay } from 'node:timers/promises';
import { partialFiles } from '../oracle';
import type { CreatedExport } from '../world';

const pauseMs = 200;

/** Looks at buckets all the time, as a customer's job does that begins whenever it sees a `_SUCCESS`. */
export class BucketWatch {
  looks = 0;
  readonly found = new Set<string>();
  private readonly exports: CreatedExport[] = [];
  private readonly stopped = new AbortController();
  private readonly looking = this.look();

  watch(exported: CreatedExport): void {
    this.exports.push(exported);
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.looking;
  }

  private async look(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      for (const { bucket, id } of this.exports) {
        // A store that does not answer shows nothing.
        for (const fault of await partialFiles(bucket, id).catch(() => [])) this.found.add(fault);
        this.looks += 1;
      }
      await delay(pauseMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }
}
