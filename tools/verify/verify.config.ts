import { GcsEndpoint, S3ServerConfig } from '@delivery/destinations/config';
import { Env, Section } from '@delivery/platform/config';
import { IsNotEmpty, IsOptional } from 'class-validator';

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

  @GcsEndpoint()
  gcsEndpoint?: string;

  @Env({
    name: 'GOOGLE_APPLICATION_CREDENTIALS',
    description: 'File with the key of a service account that may read the bucket.',
  })
  @IsOptional()
  @IsNotEmpty()
  googleKeyFile?: string;

  @Section(S3ServerConfig)
  s3: S3ServerConfig;
}
