import { s3Server } from '@delivery/destinations/config';
import { openS3Destination } from '@delivery/destinations/s3';
import { type OpenDestination, RunFault } from '@delivery/exports/engine';
import { IntegrationStore } from '@delivery/integrations/store';
import type { Database } from '@delivery/platform/postgres';
import type { S3Config } from './app.config';

/** The bucket that an integration has when its run is claimed. It belongs to the platform, and so do the credentials. */
export function s3Destinations(config: S3Config): (database: Database) => OpenDestination {
  const { region, accountId, requestSeconds } = config;
  const server = s3Server(config.s3);
  const owner = accountId === undefined ? {} : { expectedBucketOwner: accountId };
  return (database) => {
    const integrations = new IntegrationStore(database);
    return async ({ organizationId, integrationId }, deps) => {
      const destination = await integrations.destinationOf(organizationId, integrationId);
      if (destination?.kind !== 's3') {
        throw new RunFault('destination_missing', 'This integration has no S3 bucket: create the integration again.');
      }
      const { bucketName: bucket } = destination;
      const requestTimeoutMs = requestSeconds * 1000;
      return openS3Destination({ bucket, region, requestTimeoutMs, ...server, ...owner }, deps);
    };
  };
}
