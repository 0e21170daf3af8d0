import { s3Keys, s3Server } from '@delivery/destinations/config';
import type { BucketProvisioner } from '@delivery/destinations/driver';
import { openS3Provisioner, type S3Provisioner } from '@delivery/destinations/provisioner-s3';
import { Logger } from '@nestjs/common';
import type { PlatformBucketConfig } from './bucket.config';

/** Opens what makes buckets when it is first needed: the service starts, and serves the rest, without the cloud. */
export class Provisioners {
  private readonly logger = new Logger(Provisioners.name);
  private opened: Promise<S3Provisioner> | undefined;

  constructor(private readonly config: PlatformBucketConfig) {}

  /** @throws DestinationError */
  async s3(): Promise<BucketProvisioner> {
    this.opened ??= this.openS3();
    try {
      return await this.opened;
    } catch (error) {
      this.opened = undefined; // the next request tries again
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = await this.opened?.catch(() => undefined);
    await opened?.close();
  }

  private openS3(): Promise<S3Provisioner> {
    const { region, bucketPrefix, accountId, iamEndpoint, stsEndpoint } = this.config;
    const { credentials: _, ...server } = s3Server(this.config.s3);
    const keys = s3Keys(this.config.s3);
    return openS3Provisioner(
      {
        region,
        bucketPrefix,
        ...(accountId === undefined ? {} : { accountId }),
        ...(keys === undefined ? {} : { keys }),
        ...server,
        ...(iamEndpoint === undefined ? {} : { iamEndpoint }),
        ...(stsEndpoint === undefined ? {} : { stsEndpoint }),
      },
      {
        onLeftBehind: (what, bucketName, error) =>
          this.logger.warn(
            { err: error, what, bucket: bucketName },
            'something made for a failed request stays for now',
          ),
      },
    );
  }
}
