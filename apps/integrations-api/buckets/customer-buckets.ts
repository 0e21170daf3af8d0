import { parseServiceAccountKey } from '@delivery/destinations/gcs';
import { credentialsBinding } from '@delivery/integrations/domain';
import { badRequest } from '@delivery/platform/auth';
import { Database, type Transaction } from '@delivery/platform/postgres';
import { KeyRing } from '@delivery/platform/secrets';
import { Injectable } from '@nestjs/common';
import type { BucketSetup, DestinationWish, PreparedDestination } from './bucket-setup';
import { customerBucketFault } from './destination-faults';
import { GcsProbe } from './gcs-probe';

/** Buckets that customers own: written to and cleaned up once before an integration is accepted. */
@Injectable()
export class CustomerBuckets implements BucketSetup {
  constructor(
    private readonly database: Database,
    private readonly ring: KeyRing,
    private readonly probe: GcsProbe,
  ) {}

  async prepare(wish: DestinationWish): Promise<PreparedDestination> {
    const place = credentialsBinding(wish.organizationId, wish.integrationId);
    const projectId = wish.authentication.project_id ?? wish.current?.authentication.project_id;
    const bucket = wish.bucketName ?? wish.current?.bucketName;
    const sealed = wish.current?.sealedCredentials;
    const json = wish.authentication.json_key ?? (sealed === undefined ? undefined : this.ring.open(sealed, place));
    if (projectId === undefined || bucket === undefined || json === undefined) {
      throw badRequest('A bucket, its project and a key are needed: see properties.bucket_name and authentication.');
    }
    try {
      const key = parseServiceAccountKey(json);
      await this.probe.check({ bucket, projectId, key });
      return {
        authentication: { project_id: projectId, client_email: key.client_email },
        sealedCredentials: this.ring.seal(json, place),
        properties: { bucket_name: bucket },
      };
    } catch (error) {
      throw customerBucketFault(error);
    }
  }

  async transaction<T>(_organizationId: string, work: (tx: Transaction) => Promise<T>) {
    return { result: await this.database.transaction(work), warnings: [] };
  }

  withdrawal<T>(_organizationId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }
}
