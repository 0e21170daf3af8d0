export {
  type AnalyticsIdWish,
  type AnalyticsKeyWish,
  createAnalyticsId,
  createAnalyticsKey,
  enableAnalyticsKey,
  listAnalyticsIds,
  listAnalyticsKeys,
  updateAnalyticsId,
} from './analytics';
export { beginEpoch, type BegunEpoch, type EpochStart } from './epochs';
export { AdminError, adminErrorCodes, type AdminErrorCode } from './errors';
export { createKey, enableKey, listKeys } from './keys';
export { createOrganization, listOrganizations, updateOrganization } from './organizations';
export { withDatabase, withKafka } from './resources';
export { runCommand } from './run-command';
export { runNow } from './runs';
