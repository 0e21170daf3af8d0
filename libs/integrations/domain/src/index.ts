export { type AccountId, parseAccountId } from './account-id';
export { isShortId, newShortId } from './ids';
export {
  credentialsBinding,
  type Integration,
  type IntegrationProperties,
  type IntegrationStatus,
  type OrganizationBucket,
  type PublicAuthentication,
  trustedAccounts,
} from './integration';
export {
  dataToKeep,
  datasetOf,
  delivers,
  findIntegrationType,
  INTEGRATION_TYPE_IDS,
  INTEGRATION_TYPES,
  type IntegrationType,
  type IntegrationTypeId,
  typeDelivering,
} from './integration-type';
export { type ApiKey, isOrganizationId, type Organization, ORGANIZATION_ID_RULE } from './organization';
