import type { Dataset } from '@delivery/exports/domain';
import type { IntegrationProperties } from './integration';

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
  {
    typeId: 'analytics-exports-s3',
    destinationKind: 's3',
    data: ['cmp_hourly_metrics'],
    bucketOwner: 'platform',
  },
  {
    typeId: 'analytics-exports-gcp',
    destinationKind: 'gcs',
    data: ['cmp_hourly_metrics'],
    bucketOwner: 'organization',
  },
] as const satisfies readonly IntegrationTypeRow[];

export type IntegrationType = (typeof INTEGRATION_TYPES)[number];
export type IntegrationTypeId = IntegrationType['typeId'];

/** All values of `type_id` that can be created. */
export const INTEGRATION_TYPE_IDS: readonly IntegrationTypeId[] = INTEGRATION_TYPES.map((type) => type.typeId);

/** The type with this id, or a sentence for the client that says why there is none. */
export function findIntegrationType(typeId: string): { type: IntegrationType } | { fault: string } {
  const type = INTEGRATION_TYPES.find((candidate) => candidate.typeId === typeId);
  if (type !== undefined) return { type };
  return { fault: `must be one of ${INTEGRATION_TYPE_IDS.join(', ')}` };
}

/** The type that delivers this to the same kind of destination. */
export function typeDelivering(dataset: Dataset, { destinationKind }: IntegrationType): IntegrationType | undefined {
  return INTEGRATION_TYPES.find((type) => type.destinationKind === destinationKind && delivers(type, dataset));
}

export function delivers(type: IntegrationType, dataset: string): boolean {
  return type.data.some((each) => each === dataset);
}

/** What an integration of this type delivers, as its properties say; the first that the type has when they say nothing. */
export function datasetOf(type: IntegrationType, { data }: Pick<IntegrationProperties, 'data'>): Dataset {
  return data?.[0] ?? type.data[0];
}

/** What is written down of a wish for data: where there is a choice, the default too, which a later version may change. */
export function dataToKeep(type: IntegrationType, wished: [Dataset] | undefined): [Dataset] | undefined {
  return wished ?? (type.data.length > 1 ? [type.data[0]] : undefined);
}
