import { GcsEndpoint, S3ServerConfig } from '@delivery/destinations/config';
import { Env, Section } from '@delivery/platform/config';
import { IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';

export const REPORT_STORE_KINDS = ['file', 's3', 'gcs'] as const;
export type ReportStoreKind = (typeof REPORT_STORE_KINDS)[number];

const isS3 = ({ kind }: ReportStoreConfig): boolean => kind === 's3';
const isCloud = ({ kind }: ReportStoreConfig): boolean => kind !== 'file';

/** Where report files are: the same for whoever writes them and whoever hands them out. */
export class ReportStoreConfig {
  @Env({
    name: 'REPORT_STORE_KIND',
    description: 'Where report files are kept: a folder, S3, or Google Cloud Storage.',
    default: 'file',
  })
  @IsIn(REPORT_STORE_KINDS)
  kind: ReportStoreKind;

  @Env({
    name: 'REPORT_STORE_DIR',
    description: 'With file: an existing folder that analytics-aggregator and download-gateway share.',
    default: '/var/lib/consent-delivery/reports',
  })
  @Matches(/^\//, { message: 'must be an absolute path' })
  dir: string;

  @Env({ name: 'REPORT_STORE_BUCKET', description: 'With s3 or gcs: the bucket.', example: 'acme-reports' })
  @ValidateIf(isCloud)
  @Matches(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, { message: 'must be the name of a bucket' })
  bucket?: string;

  @Env({
    name: 'REPORT_STORE_PREFIX',
    description: 'What all keys begin with: empty, or ending with "/".',
    default: '',
    example: 'delivery/',
  })
  @Matches(/^$|^(?:(?!\.{1,2}\/)[A-Za-z0-9_=.-]+\/)+$/, {
    message: 'must be empty, or folders of letters, digits, "_", "=", ".", "-", ending with "/"',
  })
  prefix: string;

  @Env({
    name: 'REPORT_STORE_GCS_KEY',
    description: 'With gcs: JSON key of the service account that owns the reports.',
    secret: true,
  })
  @ValidateIf(({ kind, gcsEndpoint }: ReportStoreConfig) => kind === 'gcs' && gcsEndpoint === undefined)
  @IsNotEmpty()
  gcsKey?: string;

  @GcsEndpoint()
  gcsEndpoint?: string;

  @Env({ name: 'AWS_REGION', description: 'With s3: region of the bucket.', example: 'eu-west-1' })
  @ValidateIf(isS3)
  @IsNotEmpty()
  region?: string;

  @Env({
    name: 'AWS_ACCOUNT_ID',
    description: "The platform's own AWS account; a bucket of another account is then refused.",
    example: '999999999999',
  })
  @IsOptional()
  @Matches(/^\d{12}$/, { message: 'must be 12 digits' })
  accountId?: string;

  @Env({
    name: 'REPORT_STORE_REQUEST_SECONDS',
    description: 'Seconds that one request to the store may take as a whole.',
    default: '120',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  requestSeconds: number;

  @Section(S3ServerConfig)
  s3: S3ServerConfig;
}
