import type { Dataset } from '@delivery/exports/domain';

/** What one `type_id` of the contract stands for. A further destination or content is a further row of this table. */
interface IntegrationTypeRow {
  readonly typeId: string;
  readonly destinationKind: 's3' | 'gcs';
  /** The values that `properties.data` may hold; the first is what is delivered when nothing is said. */
  readonly data: readonly [Dataset, ...Dataset[]];
  /** Who owns the bucket: decides which credentials are asked for and whether a bucket is made. */
  readonly bucketOwner: 'platform' | 'organization';
}

/** The types that can be created (contracts.md §1.3). */
export const INTEGRATION_TYPES = [
  {
    typeId: 'batch-exports-s3',
    destinationKind: 's3',
    data: ['users', 'events'],
    bucketOwner: 'platform',
  },
  {
    typeId: 'batch-exports-gcp',
    destinationKind: 'gcs',
    data: ['users', 'events'],
    bucketOwner: 'organization',
  },
] as const satisfies readonly IntegrationTypeRow[];

export type IntegrationType = (typeof INTEGRATION_TYPES)[number];
export type IntegrationTypeId = IntegrationType['typeId'];

/** All values of `type_id` that can be created. */
export const INTEGRATION_TYPE_IDS: readonly IntegrationTypeId[] = INTEGRATION_TYPES.map((type) => type.typeId);

/** Types of the same contract that a client may know and that this version does not deliver. */
const LATER_TYPE_IDS: readonly string[] = ['analytics-exports-s3', 'analytics-exports-gcp'];

/** The type with this id, or a sentence for the client that says why there is none. */
export function findIntegrationType(typeId: string): { type: IntegrationType } | { fault: string } {
  const type = INTEGRATION_TYPES.find((candidate) => candidate.typeId === typeId);
  if (type !== undefined) return { type };
  const known = INTEGRATION_TYPE_IDS.join(', ');
  if (LATER_TYPE_IDS.includes(typeId)) {
    return { fault: `'${typeId}' comes with a later version; this one can create ${known}` };
  }
  return { fault: `must be one of ${known}` };
}
