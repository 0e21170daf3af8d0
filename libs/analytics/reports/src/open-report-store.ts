import { reportFolder } from '@delivery/analytics/domain';
import { type S3Server, s3Server } from '@delivery/destinations/config';
import type { ReportStoreConfig } from './report-store.config';

/** As the file driver takes it. */
export interface FileReportStore {
  readonly root: string;
  readonly prefix: string;
}

/** As the S3 driver takes it. */
export interface S3ReportStore extends S3Server {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly requestTimeoutMs: number;
  readonly expectedBucketOwner?: string;
}

/** As the Cloud Storage driver takes it, but for the key, which is still its JSON: undefined for a local server. */
export interface GcsReportStore {
  readonly bucket: string;
  readonly prefix: string;
  readonly key: string | undefined;
  readonly endpoint?: string;
  readonly requestTimeoutMs: number;
}

/** One way of opening for each kind: only apps know the drivers. */
export interface ReportStoreOpeners<T> {
  file(options: FileReportStore): Promise<T>;
  s3(options: S3ReportStore): Promise<T>;
  gcs(options: GcsReportStore): Promise<T>;
}

/** Opens the configured store, to write reports or to hand them out: whatever `openers` make of its options. */
export async function openReportStore<T>(config: ReportStoreConfig, openers: ReportStoreOpeners<T>): Promise<T> {
  switch (config.kind) {
    case 'file':
      return openers.file({ root: config.dir, prefix: config.prefix });
    case 's3':
      return openers.s3(s3Options(config));
    case 'gcs':
      return openers.gcs(gcsOptions(config));
  }
}

/** The key of a report's file in the store. @param file - of `shardFile` or `reportManifestFile` */
export function reportObjectKey(
  { prefix }: Pick<ReportStoreConfig, 'prefix'>,
  { organizationId, analyticsId }: { readonly organizationId: string; readonly analyticsId: string },
  file: string,
): string {
  return `${prefix}${reportFolder(organizationId, analyticsId)}${file}`;
}

function s3Options(config: ReportStoreConfig): S3ReportStore {
  const { bucket = '', prefix, region = '', accountId } = config;
  return {
    ...s3Server(config.s3),
    bucket,
    prefix,
    region,
    requestTimeoutMs: config.requestSeconds * 1000,
    ...(accountId !== undefined && { expectedBucketOwner: accountId }),
  };
}

function gcsOptions(config: ReportStoreConfig): GcsReportStore {
  const { bucket = '', prefix, gcsKey, gcsEndpoint } = config;
  const place = { bucket, prefix, requestTimeoutMs: config.requestSeconds * 1000 };
  return gcsEndpoint === undefined ? { ...place, key: gcsKey } : { ...place, key: undefined, endpoint: gcsEndpoint };
}
