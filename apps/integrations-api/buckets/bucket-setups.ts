import type { IntegrationType } from '@delivery/integrations/domain';
import { Injectable } from '@nestjs/common';
import type { BucketSetup } from './bucket-setup';
import { CustomerBuckets } from './customer-buckets';
import { PlatformBuckets } from './platform-buckets';

/** Which setup a type of integration needs. */
@Injectable()
export class BucketSetups {
  constructor(
    private readonly platform: PlatformBuckets,
    private readonly customer: CustomerBuckets,
  ) {}

  of(type: Pick<IntegrationType, 'bucketOwner'>): BucketSetup {
    switch (type.bucketOwner) {
      case 'platform':
        return this.platform;
      case 'organization':
        return this.customer;
    }
  }
}
