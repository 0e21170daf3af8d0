import type { AuthenticationRequest } from '@delivery/integrations/schema';
import type { IntegrationProperties, PublicAuthentication } from '@delivery/integrations/domain';
import type { Transaction } from '@delivery/platform/postgres';

/** What a client wants of the destination, after its shape was checked. */
export interface DestinationWish {
  organizationId: string;
  integrationId: string;
  authentication: AuthenticationRequest;
  bucketName: string | undefined;
  /** Of the integration as it is: used where the wish leaves something out. */
  current?: {
    authentication: PublicAuthentication;
    bucketName: string | undefined;
    sealedCredentials: string | undefined;
  };
}

/** What of it is stored in the integration's row. */
export interface PreparedDestination {
  authentication: PublicAuthentication;
  sealedCredentials: string | undefined;
  properties: Pick<IntegrationProperties, 'bucket_name'>;
}

/** How the bucket of one kind of integration comes to be usable: made by the platform, or proved to be the customer's. */
export interface BucketSetup {
  /**
   * Checks the wish, outside of any transaction. May be repeated and leaves nothing behind.
   * @throws ApiException with the sentence that tells what to change
   */
  prepare(wish: DestinationWish): Promise<PreparedDestination>;
  /**
   * Runs `work`, which adds or changes integrations of the organization, in a transaction that commits only if the
   * bucket is in line with them. `work` may run more than once.
   * @returns what `work` returned in the transaction that committed, and sentences for the integration's owner
   */
  transaction<T>(
    organizationId: string,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<{ result: T; warnings: readonly string[] }>;
  /** Runs `work`, which takes an integration away, and brings the bucket in line afterwards, now or a little later. */
  withdrawal<T>(organizationId: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
}
