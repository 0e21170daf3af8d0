import { type BucketProvisioner, DestinationError } from '@delivery/destinations/driver';
import type { OrganizationBucket } from '@delivery/integrations/domain';
import { BucketStore, IntegrationStore } from '@delivery/integrations/store';
import { ApiException } from '@delivery/platform/auth';
import { Database, type Transaction } from '@delivery/platform/postgres';
import { Injectable, Logger } from '@nestjs/common';
import type { BucketSetup, DestinationWish, PreparedDestination } from './bucket-setup';
import { platformBucketFault } from './destination-faults';
import { Provisioners } from './provisioners';

/** Longer than making a bucket and a role takes, shorter than a client waits. */
const CLOUD_TIMEOUT_MS = 30_000;
/** Each try lets at least one of the requests that compete for a bucket through. */
const TRIES = 20;

/**
 * Buckets that the platform makes: one for all S3 integrations of an organization, with a role that trusts exactly the
 * accounts that those integrations name.
 *
 * The cloud cannot take part in a transaction. So the row is marked as `allocated` first, in a commit of its own; then
 * cloud and rows are changed under the row's lock, and the commit that adds or changes the integration also says
 * `ready`. Whatever dies in between leaves `allocated` behind, and {@link settle} finishes it from the integrations that
 * are really there.
 */
@Injectable()
export class PlatformBuckets implements BucketSetup {
  private readonly logger = new Logger(PlatformBuckets.name);

  constructor(
    private readonly database: Database,
    private readonly buckets: BucketStore,
    private readonly integrations: IntegrationStore,
    private readonly provisioners: Provisioners,
  ) {}

  async prepare({ authentication, current }: DestinationWish): Promise<PreparedDestination> {
    const accountId = authentication.account_id ?? current?.authentication.account_id;
    return {
      authentication: accountId === undefined ? {} : { account_id: accountId },
      sealedCredentials: undefined,
      properties: {},
    };
  }

  async transaction<T>(organizationId: string, work: (tx: Transaction) => Promise<T>) {
    try {
      for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        const outcome = await this.attempt(organizationId, work, attempt < TRIES);
        if (outcome !== undefined) return outcome;
      }
    } catch (error) {
      throw platformBucketFault(error);
    }
    throw new ApiException(503, 'Too many changes of this organization at once: send the request again.', {
      retryAfterSeconds: 1,
    });
  }

  /** @returns undefined when it has to be tried again from the start */
  private async attempt<T>(organizationId: string, work: (tx: Transaction) => Promise<T>, mayRename: boolean) {
    const provisioner = await this.provisioners.s3();
    const proposedName = provisioner.allocateBucketName(organizationId);
    const { bucketName } = await this.buckets.allocate(organizationId, proposedName);
    try {
      return await this.database.transaction(async (tx) => {
        const bucket = await this.buckets.lock(tx, organizationId);
        // Another request has said `ready` since: from here on a crash would leave no trace.
        if (bucket?.status !== 'allocated') return undefined;
        const result = await work(tx);
        return { result, warnings: await this.bringInLine(tx, bucket, provisioner) };
      });
    } catch (error) {
      // Bucket names are global: somebody else may have taken ours before we made it.
      if (!mayRename || !(error instanceof DestinationError) || error.code !== 'name_taken') throw error;
      await this.buckets.rename(organizationId, bucketName, provisioner.allocateBucketName(organizationId));
      return undefined;
    }
  }

  async withdrawal<T>(organizationId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(async (tx) => {
      await this.buckets.unsettle(tx, organizationId);
      return work(tx);
    });
    // The integration is gone whatever the cloud says now; what is left to do there is repeated until it is done.
    await this.settle(organizationId).catch((error: unknown) =>
      this.logger.warn({ err: error, organization_id: organizationId }, 'the access to a bucket is withdrawn later'),
    );
    return result;
  }

  /** Makes the cloud hold what the organization's integrations ask for. @throws DestinationError */
  async settle(organizationId: string): Promise<void> {
    const provisioner = await this.provisioners.s3();
    await this.database.transaction(async (tx) => {
      const bucket = await this.buckets.lock(tx, organizationId);
      if (bucket?.status === 'allocated') await this.bringInLine(tx, bucket, provisioner);
    });
  }

  /** @returns warnings for the owner */
  private async bringInLine(
    tx: Transaction,
    { organizationId, bucketName }: OrganizationBucket,
    provisioner: BucketProvisioner,
  ): Promise<readonly string[]> {
    const accountIds = await this.integrations.accountsOf(tx, organizationId);
    const signal = AbortSignal.timeout(CLOUD_TIMEOUT_MS);
    if (accountIds.length === 0) {
      await provisioner.removeRole(bucketName, signal);
      await this.buckets.settle(tx, organizationId, { roleArn: undefined, accountIds });
      return [];
    }
    const { roleArn, warnings } = await provisioner.ensureBucket({ organizationId, bucketName, accountIds, signal });
    await this.buckets.settle(tx, organizationId, { roleArn, accountIds });
    return warnings;
  }
}
