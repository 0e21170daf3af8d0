import { KeyRing } from '@delivery/platform/secrets';
import { Lifecycle } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import type { IntegrationsApiConfig } from '../app.config';
import { PlatformBucketConfig } from './bucket.config';
import { BucketSetups } from './bucket-setups';
import { BucketSweep } from './bucket-sweep';
import { CustomerBuckets } from './customer-buckets';
import { GcsProbe } from './gcs-probe';
import { PlatformBuckets } from './platform-buckets';
import { Provisioners } from './provisioners';

/** Buckets: those that the platform makes, and those that customers own. */
@Module({})
export class BucketsModule {
  static register({ platformBuckets, customerBuckets, secrets }: IntegrationsApiConfig): DynamicModule {
    return {
      module: BucketsModule,
      providers: [
        { provide: PlatformBucketConfig, useValue: platformBuckets },
        { provide: KeyRing, useFactory: () => KeyRing.fromConfig(secrets) },
        { provide: GcsProbe, useFactory: () => new GcsProbe(customerBuckets.gcsEndpoint) },
        {
          provide: Provisioners,
          inject: [Lifecycle],
          useFactory: (lifecycle: Lifecycle) => {
            const provisioners = new Provisioners(platformBuckets);
            lifecycle.onClose(() => provisioners.close(), 'provisioners');
            return provisioners;
          },
        },
        PlatformBuckets,
        CustomerBuckets,
        BucketSetups,
        BucketSweep,
      ],
      exports: [BucketSetups, PlatformBucketConfig, BucketSweep],
    };
  }
}
