import { openGcsDestination, parseServiceAccountKey } from '@delivery/destinations/gcs';
import { type OpenDestination, RunFault } from '@delivery/exports/engine';
import { credentialsBinding } from '@delivery/integrations/domain';
import { IntegrationStore } from '@delivery/integrations/store';
import type { Database } from '@delivery/platform/postgres';
import { KeyRing, type SecretsConfig } from '@delivery/platform/secrets';
import type { GcsConfig } from './app.config';

/** The customer's bucket and key as they are when a run is claimed: a repaired key is used by the next attempt. */
export function gcsDestinations(
  { endpoint, requestSeconds }: GcsConfig,
  secrets: SecretsConfig,
): (database: Database) => OpenDestination {
  const requestTimeoutMs = requestSeconds * 1000;
  const ring = KeyRing.fromConfig(secrets);
  return (database) => {
    const integrations = new IntegrationStore(database);
    return async ({ organizationId, integrationId }, deps) => {
      const destination = await integrations.destinationOf(organizationId, integrationId);
      const { bucketName: bucket, projectId, sealedCredentials } = destination ?? {};
      if (bucket === undefined || projectId === undefined || sealedCredentials === undefined) {
        throw new RunFault('destination_missing', 'This integration has no bucket with a project and a key: set them.');
      }
      // Not opened means that SECRETS_KEYS is not what it was: the operator's log tells, and the run waits for him.
      const opened = ring.open(sealedCredentials, credentialsBinding(organizationId, integrationId));
      const key = parseServiceAccountKey(opened);
      const target = { bucket, projectId, requestTimeoutMs };
      if (endpoint === undefined) return openGcsDestination({ ...target, credentials: key }, deps);
      return openGcsDestination({ ...target, credentials: 'anonymous-local', endpoint }, deps);
    };
  };
}
