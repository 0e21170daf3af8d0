import {
  confineKeys,
  PROBE_NAME,
  type CreateObjectOptions,
  type DestinationDriver,
  type DriverDeps,
  type ObjectWriter,
  type PutOptions,
  type UploadRef,
} from '@delivery/destinations/driver';
import { GcsCalls, namesBucket } from './gcs-calls';
import { readRefusal, refusalError } from './gcs-errors';
import type { GcsDestinationOptions } from './gcs-options';
import { cancelSession, GcsWriter } from './gcs-writer';

/**
 * A driver for one Cloud Storage bucket. Loads the Google SDK; sends nothing yet.
 *
 * Needs storage.objects.create and storage.objects.delete on the bucket (the second also to replace an object).
 *
 * @throws DestinationError `invalid_configuration`
 */
export async function openGcsDestination(
  options: GcsDestinationOptions,
  deps: DriverDeps = {},
): Promise<DestinationDriver> {
  return confineKeys(new GcsDriver(await GcsCalls.open(options, deps)), options.prefix ?? '');
}

class GcsDriver implements DestinationDriver {
  readonly kind = 'gcs';

  constructor(private readonly calls: GcsCalls) {}

  async check(signal: AbortSignal): Promise<void> {
    const key = `${this.calls.options.prefix ?? ''}${PROBE_NAME}`;
    const body = Buffer.from('This object may be removed.\n');
    // Written through an upload session like every file of an export; its cancelling needs no permission.
    await this.putObject(key, body, { contentType: 'text/plain', signal });
    await this.deleteObject(key, signal);
  }

  async createObject(key: string, options: CreateObjectOptions): Promise<ObjectWriter> {
    return new GcsWriter(this.calls, key, options);
  }

  async putObject(key: string, body: Uint8Array, options: PutOptions): Promise<void> {
    const writer = new GcsWriter(this.calls, key, options);
    try {
      await writer.write(body);
      await writer.finish();
    } catch (error) {
      // The first failure is the one to report; a session that cannot be cancelled expires by itself.
      await writer.abort().catch(() => undefined);
      throw error;
    }
  }

  async deleteObject(key: string, signal: AbortSignal): Promise<void> {
    const answer = await this.calls.call({
      operation: 'delete',
      method: 'DELETE',
      url: this.calls.objectUrl(key),
      signal: this.calls.signal(signal),
      expect: [200, 204, 404],
    });
    const refusal = readRefusal(answer.status, answer.body);
    if (answer.status === 404 && namesBucket(refusal.message)) {
      throw refusalError(refusal, this.calls.context('delete'));
    }
  }

  /** Cloud Storage cannot list sessions; those that nobody noted are invisible, free, and expire after a week. */
  async abortUnfinished(options: {
    keyPrefix: string;
    uploads: readonly UploadRef[];
    signal: AbortSignal;
  }): Promise<number> {
    const signal = this.calls.signal(options.signal);
    let aborted = 0;
    for (const { key, uploadId } of options.uploads) {
      const session = this.calls.uploadUrl({ name: key, upload_id: uploadId });
      if (await cancelSession(this.calls, session, signal)) aborted += 1;
    }
    return aborted;
  }

  async close(): Promise<void> {
    this.calls.close();
  }
}
