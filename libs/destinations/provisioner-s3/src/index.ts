export { allocateBucketName } from './bucket-name';
export {
  DEFAULT_BUCKET_PREFIX,
  openS3Provisioner,
  type ProvisionerDeps,
  type S3Provisioner,
} from './open-s3-provisioner';
export { ProvisionerKeys, S3ProvisionerOptions } from './provisioner-options';
export { s3OwnerSteps } from './s3-owner-steps';
