export { gcsOwnerSteps } from './gcs-owner-steps';
export { GcsDestinationOptions, GcsServiceAccount } from './gcs-options';
export { openGcsDestination } from './open-gcs-destination';
export { openGcsLinkSigner } from './open-gcs-link-signer';
export { openGcsReader } from './open-gcs-reader';
export { parseServiceAccountKey, type ServiceAccountKey } from './service-account-key';
