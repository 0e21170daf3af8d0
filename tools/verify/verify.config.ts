import { Env } from '@delivery/platform/config';
import { IsNotEmpty, IsOptional, Matches, ValidateIf } from 'class-validator';

const SERVER = /^https?:\/\/[^/?#@]+\/?$/;

/** Access to the bucket and the key that its manifests are signed with: all that verifying needs. */
export class VerifyConfig {
  @Env({
    name: 'MANIFEST_PUBLIC_KEY',
    description: 'Public keys of manifests: base64 of the SPKI DER form, comma separated. Or give --public-key.',
    default: '',
  })
  publicKeys: string[];

  @Env({ name: 'AWS_REGION', description: 'Region of the bucket.', default: 'us-east-1' })
  @IsNotEmpty()
  region: string;

  @Env({ name: 'AWS_ACCESS_KEY_ID', description: "Access key; without it, AWS's usual places are searched." })
  @IsOptional()
  @IsNotEmpty()
  accessKeyId?: string;

  @Env({ name: 'AWS_SECRET_ACCESS_KEY', description: 'The secret of AWS_ACCESS_KEY_ID.', secret: true })
  @ValidateIf((config: VerifyConfig) => config.accessKeyId !== undefined)
  @IsNotEmpty()
  secretAccessKey?: string;

  @Env({ name: 'S3_ENDPOINT', description: 'URL of another S3 server than AWS.' })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  s3Endpoint?: string;

  @Env({ name: 'GCS_ENDPOINT', description: 'URL of another server than Google Cloud Storage.' })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  gcsEndpoint?: string;

  @Env({
    name: 'GOOGLE_APPLICATION_CREDENTIALS',
    description: 'File with the key of a service account that may read the bucket.',
  })
  @IsOptional()
  @IsNotEmpty()
  googleKeyFile?: string;
}
