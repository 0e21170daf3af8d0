import type { DestinationReader } from '@delivery/destinations/driver';
import { openFileReader } from '@delivery/destinations/file';
import { openGcsReader, parseServiceAccountKey } from '@delivery/destinations/gcs';
import type { ManifestSignature, SignatureVerdict } from '@delivery/exports/domain';
import type { IntegrationKey } from '@delivery/exports/store';
import { credentialsBinding } from '@delivery/integrations/domain';
import { type IntegrationDestination, IntegrationStore } from '@delivery/integrations/store';
import { Env, loadConfig, Section } from '@delivery/platform/config';
import type { Database } from '@delivery/platform/postgres';
import { KeyRing, ManifestSigner, publicKeyId, SecretsConfig, verifySignature } from '@delivery/platform/secrets';
import { IsOptional } from 'class-validator';
import { openBucket } from '../verify/open-bucket';
import { VerifyConfig } from '../verify/verify.config';
import { AdminError } from './errors';

class BucketSettings {
  @Section(VerifyConfig)
  access: VerifyConfig;
}

class KeySettings {
  @Env({ name: 'MANIFEST_SIGNING_KEY', description: 'The key that signs manifests.', secret: true })
  @IsOptional()
  manifestSigningKey?: string;
}

class SecretSettings {
  @Section(SecretsConfig)
  secrets: SecretsConfig;
}

/** Opens the buckets of integrations for reading, as the exporters do for writing. */
export class DeliveryBuckets {
  private readonly access: VerifyConfig;
  private readonly integrations: IntegrationStore;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    database: Database,
  ) {
    this.access = loadConfig(BucketSettings, env).access;
    this.integrations = new IntegrationStore(database);
  }

  /** @throws AdminError `refused`; DestinationError */
  async open({ organizationId, integrationId }: IntegrationKey): Promise<DestinationReader> {
    const destination = await this.integrations.destinationOf(organizationId, integrationId);
    if (destination === undefined) throw new AdminError('refused', 'it has no bucket');
    if (destination.kind === 'gcs') return this.openGcs(destination);
    return openBucket({ kind: 's3', bucket: destination.bucketName, prefix: '' }, this.access);
  }

  /** A copy of what may not be listed where it is. */
  openCopy(folder: string): Promise<DestinationReader> {
    return openFileReader({ root: folder });
  }

  /** By the key that signs now and those that MANIFEST_PUBLIC_KEY names beside it. @throws AdminError `refused` */
  verifier(): (input: Buffer, signature: ManifestSignature) => SignatureVerdict {
    const { manifestSigningKey } = loadConfig(KeySettings, this.env);
    const own = manifestSigningKey === undefined ? [] : [ManifestSigner.fromConfig({ manifestSigningKey }).publicKey];
    const keys = new Map([...own, ...this.access.publicKeys].map((key) => [publicKeyId(key), key]));
    if (keys.size === 0) {
      throw new AdminError(
        'refused',
        'Set MANIFEST_SIGNING_KEY, or MANIFEST_PUBLIC_KEY: manifests cannot be trusted unread.',
      );
    }
    return (input, { key_id, value }) => {
      const key = keys.get(key_id);
      if (key === undefined) return 'unknown_key';
      return verifySignature(key, input, value) ? 'valid' : 'invalid';
    };
  }

  private openGcs(destination: IntegrationDestination): Promise<DestinationReader> {
    const { organizationId, integrationId, bucketName: bucket, projectId, sealedCredentials } = destination;
    if (projectId === undefined || sealedCredentials === undefined) {
      throw new AdminError('refused', 'it has no project or no key');
    }
    const ring = KeyRing.fromConfig(loadConfig(SecretSettings, this.env).secrets);
    const key = parseServiceAccountKey(ring.open(sealedCredentials, credentialsBinding(organizationId, integrationId)));
    const endpoint = this.access.gcsEndpoint;
    if (endpoint === undefined) return openGcsReader({ bucket, projectId, credentials: key });
    return openGcsReader({ bucket, projectId, credentials: 'anonymous-local', endpoint });
  }
}
