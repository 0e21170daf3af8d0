export { type S3Keys, s3Keys, type S3Server, s3Server, S3ServerConfig } from './s3-server.config';
export { GcsEndpoint, ServerUrl } from './server-url';
