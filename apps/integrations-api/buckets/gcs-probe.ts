import { openGcsDestination, type ServiceAccountKey } from '@delivery/destinations/gcs';

export interface GcsTarget {
  bucket: string;
  projectId: string;
  key: ServiceAccountKey;
}

const PROBE_TIMEOUT_MS = 30_000;

/** Does in a customer's bucket what an export does. */
export class GcsProbe {
  /** @param endpoint another server than Google's, from the operator's configuration only */
  constructor(private readonly endpoint: string | undefined) {}

  /** Writes and removes a small object. @throws DestinationError */
  async check({ bucket, projectId, key }: GcsTarget): Promise<void> {
    const driver = await openGcsDestination({
      bucket,
      projectId,
      credentials: { client_email: key.client_email, private_key: key.private_key },
      ...(this.endpoint === undefined ? {} : { endpoint: this.endpoint }),
    });
    try {
      await driver.check(AbortSignal.timeout(PROBE_TIMEOUT_MS));
    } finally {
      await driver.close();
    }
  }
}
