import { BucketStore } from '@delivery/integrations/store';
import { Lifecycle } from '@delivery/platform/service';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { PlatformBuckets } from './platform-buckets';

const EVERY_MS = 60_000;
/** Longer than any request works on a bucket: what is younger is somebody's who is still at it. */
const OLDER_THAN_SECONDS = 120;

/** Finishes what a crash, or a cloud that did not answer, left between a bucket's row and the cloud. */
@Injectable()
export class BucketSweep implements OnApplicationBootstrap {
  private readonly logger = new Logger(BucketSweep.name);
  private running: Promise<void> | undefined;

  constructor(
    private readonly buckets: BucketStore,
    private readonly platform: PlatformBuckets,
    private readonly lifecycle: Lifecycle,
  ) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => this.start(), EVERY_MS);
    this.lifecycle.onStopIntake(async () => {
      clearInterval(timer);
      await this.running;
    }, 'bucket sweep');
    this.start();
  }

  private start(): void {
    this.running ??= this.sweep(OLDER_THAN_SECONDS)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'buckets could not be looked at'))
      .finally(() => (this.running = undefined));
  }

  /** One organization's failure does not keep another's waiting. May be repeated and run anywhere at once. */
  async sweep(olderThanSeconds: number): Promise<void> {
    for (const organizationId of await this.buckets.unsettled(olderThanSeconds)) {
      if (this.lifecycle.stopping.aborted) return;
      try {
        await this.platform.settle(organizationId);
      } catch (error) {
        this.logger.warn({ err: error, organization_id: organizationId }, 'a bucket is brought in line later');
        await this.buckets.postpone(organizationId);
      }
    }
  }
}
