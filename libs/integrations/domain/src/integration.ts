import type { Compression, Dataset } from '@delivery/exports/domain';
import type { IntegrationTypeId } from './integration-type';

/** `disabled`: no due times; the next run after enabling covers the pause. `deleted`: kept only for the audit. */
export type IntegrationStatus = 'active' | 'disabled' | 'deleted';

/** What a client gave and may be shown again, in the contract's words. Secrets are kept apart, sealed. */
export interface PublicAuthentication {
  /** S3: as the client wrote it; {@link parseAccountId} gives the 12 digits that are used. */
  account_id?: string;
  /** GCS: the project of the bucket. */
  project_id?: string;
  /** GCS: the service account of the key. */
  client_email?: string;
}

export interface IntegrationProperties {
  /** Days between two deliveries. */
  frequency: number;
  /** One; left out by types that deliver one thing only, unless it was asked for. See {@link datasetOf}. */
  data?: [Dataset];
  /** As it was asked for; gzip when nothing was. */
  compression?: Compression;
  /** GCS: the customer's bucket. S3 buckets belong to the organization and are not kept here. */
  bucket_name?: string;
}

/** A standing wish: what to deliver, where, how often. */
export interface Integration {
  organizationId: string;
  id: string;
  typeId: IntegrationTypeId;
  authentication: PublicAuthentication;
  /** Opened only by whoever delivers or probes; undefined where there is nothing secret, and after deletion. */
  sealedCredentials: string | undefined;
  properties: IntegrationProperties;
  mappings: object[];
  enabled: boolean;
  status: IntegrationStatus;
  /** The id of the key that created it. */
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
}

/** The bucket that the platform made for an organization, one for all its S3 integrations. */
export interface OrganizationBucket {
  organizationId: string;
  bucketName: string;
  /** Undefined until the role exists. */
  roleArn: string | undefined;
  /** The accounts that the role trusts, 12 digits each, ascending. */
  accountIds: string[];
  /** `allocated`: the cloud may differ from this row and has to be brought in line; `ready`: it is in line. */
  status: 'allocated' | 'ready';
}

/** The accounts a role has to trust for these integrations: each once, ascending, so that equal sets compare equal. */
export function trustedAccounts(accountIds: Iterable<string>): string[] {
  return [...new Set(accountIds)].sort();
}

/** What a sealed value is bound to: it opens in this row of this organization and nowhere else. */
export function credentialsBinding(organizationId: string, integrationId: string): string[] {
  return ['integration', organizationId, integrationId, 'credentials'];
}
