import { readFile } from 'node:fs/promises';
import { s3Server } from '@delivery/destinations/config';
import type { DestinationReader } from '@delivery/destinations/driver';
import { openFileReader } from '@delivery/destinations/file';
import { openGcsReader, parseServiceAccountKey } from '@delivery/destinations/gcs';
import { openS3Reader } from '@delivery/destinations/s3';
import { type Place, UsageError } from './bucket-url';
import type { VerifyConfig } from './verify.config';

/** @throws UsageError; DestinationError */
export async function openBucket(place: Place, config: VerifyConfig): Promise<DestinationReader> {
  switch (place.kind) {
    case 'file':
      return openFileReader({ root: place.root });
    case 's3':
      return openS3(place.bucket, config);
    case 'gcs':
      return openGcs(place.bucket, config);
  }
}

function openS3(bucket: string, config: VerifyConfig): Promise<DestinationReader> {
  // The platform's buckets are requester pays: whoever reads them has to say that he accepts it.
  return openS3Reader({ ...s3Server(config.s3), bucket, region: config.region, requesterPays: true });
}

async function openGcs(bucket: string, { gcsEndpoint, googleKeyFile }: VerifyConfig): Promise<DestinationReader> {
  if (gcsEndpoint !== undefined) {
    return openGcsReader({ bucket, projectId: 'local-project', credentials: 'anonymous-local', endpoint: gcsEndpoint });
  }
  if (googleKeyFile === undefined) {
    throw new UsageError('Set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account that may read it.');
  }
  const text = await readFile(googleKeyFile, 'utf8').catch((error: Error) => {
    throw new UsageError(`GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read (${error.message}).`);
  });
  const credentials = parseServiceAccountKey(text);
  return openGcsReader({ bucket, projectId: projectOf(text), credentials });
}

function projectOf(keyText: string): string {
  const key: unknown = JSON.parse(keyText);
  const project: unknown = typeof key === 'object' && key !== null ? Reflect.get(key, 'project_id') : undefined;
  if (typeof project !== 'string') throw new UsageError('The key file names no project_id.');
  return project;
}
