import { ApiKeyEntity } from './api-key.entity';
import { IntegrationEntity } from './integration.entity';
import { Integrations1700000040000 } from './migrations/1700000040000-integrations';
import { OrganizationBucketEntity } from './organization-bucket.entity';
import { OrganizationEntity } from './organization.entity';

export { type ApiKeyChanges, type ApiKeySort, ApiKeyStore } from './api-key.store';
export { BucketStore } from './bucket.store';
export {
  type IntegrationChanges,
  type IntegrationDestination,
  type IntegrationFilter,
  type IntegrationSort,
  IntegrationStore,
  type NewIntegration,
} from './integration.store';
export { type OrganizationChanges, OrganizationStore } from './organization.store';
export type { Page, PageRequest } from './page';

export const entities = [OrganizationEntity, ApiKeyEntity, IntegrationEntity, OrganizationBucketEntity];
export const migrations = [Integrations1700000040000];
