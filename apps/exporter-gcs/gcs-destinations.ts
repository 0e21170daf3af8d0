import { openGcsDestination, parseServiceAccountKey } from '@delivery/destinations/gcs';
import { type OpenDestination, RunFault } from '@delivery/exports/engine';
import { credentialsBinding } from '@delivery/integrations/domain';
import { IntegrationStore } from '@delivery/integrations/store';
import type { Database } from '@delivery/platform/postgres';
import { KeyRing, type SecretsConfig } from '@delivery/platform/secrets';
import type { GcsConfig } from './app.config';

/** The customer's bucket and key as they are when a run is claimed: a repaired key is used by the next attempt. */
export function gcsDestinations(
  { endpoint }: GcsConfig,
  secrets: SecretsConfig,
): (database: Database) => OpenDestination {
  const ring = KeyRing.fromConfig(secrets);
  return (database) => {
    const integrations = new IntegrationStore(database);
    return async ({ organizationId, integrationId }, deps) => {
      const destination = await integrations.destinationOf(organizationId, integrationId);
      const { bucketName: bucket, projectId, sealedCredentials } = destination ?? {};
      if (bucket === undefined || projectId === undefined || sealedCredentials === undefined) {
        throw new RunFault('destination_missing', 'This integration has no bucket with a project and a key: set them.');
      }
      const key = parseServiceAccountKey(openKey(ring, sealedCredentials, organizationId, integrationId));
      if (endpoint === undefined) return openGcsDestination({ bucket, projectId, credentials: key }, deps);
      return openGcsDestination({ bucket, projectId, credentials: 'anonymous-local', endpoint }, deps);
    };
  };
}

function openKey(ring: KeyRing, sealed: string, organizationId: string, integrationId: string): string {
  try {
    return ring.open(sealed, credentialsBinding(organizationId, integrationId));
  } catch (cause) {
    const message = 'The stored key of this integration cannot be opened any more: send the key (json_key) again.';
    throw new RunFault('destination_missing', message, { cause });
  }
}
