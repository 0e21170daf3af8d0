export { openS3Destination } from './open-s3-destination';
export { openS3LinkSigner } from './open-s3-link-signer';
export { openS3Reader } from './open-s3-reader';
export {
  S3DestinationOptions,
  S3KeyCredentials,
  S3PlatformCredentials,
  S3RoleCredentials,
  type S3Credentials,
} from './s3-options';
