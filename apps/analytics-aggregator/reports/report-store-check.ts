import { setTimeout as delay } from 'node:timers/promises';
import type { DestinationDriver } from '@delivery/destinations/driver';
import type { Lifecycle } from '@delivery/platform/service';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';

const AGAIN_MS = 10_000;

/** Tries the report store when the process starts: what is wrong with it shall not be found out at half past seven. */
export class ReportStoreCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger('report store');
  /** A sentence until the store could be written to once. */
  fault: string | undefined = 'The report store was not tried yet.';

  constructor(
    private readonly store: Pick<DestinationDriver, 'check'>,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    const loop = this.loop(this.lifecycle.stopping);
    this.lifecycle.onStopIntake(() => loop, 'report store check');
  }

  private async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.store.check(signal);
        this.fault = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.fault = `Reports cannot be written: ${error instanceof Error ? error.message : String(error)}`;
        this.logger.warn({ err: error }, 'the report store cannot be used and will be tried again');
      }
      await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
