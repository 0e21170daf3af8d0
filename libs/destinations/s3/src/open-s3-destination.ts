import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import {
  confineKeys,
  DestinationError,
  PROBE_NAME,
  throwIfAborted,
  type CreateObjectOptions,
  type DestinationDriver,
  type DriverDeps,
  type ObjectWriter,
  type PutOptions,
  type UploadRef,
} from '@delivery/destinations/driver';
import { S3Calls } from './s3-calls';
import type { S3DestinationOptions } from './s3-options';
import { abortUpload, beginUpload, putWhole, S3Writer } from './s3-writer';

/**
 * A driver for one S3 bucket. Loads the AWS SDK; sends nothing yet.
 *
 * @throws DestinationError `invalid_configuration`
 */
export async function openS3Destination(
  options: S3DestinationOptions,
  deps: DriverDeps = {},
): Promise<DestinationDriver> {
  return confineKeys(new S3Driver(await S3Calls.open(options, deps)), options.prefix ?? '');
}

interface UploadMarker {
  KeyMarker?: string;
  UploadIdMarker?: string | undefined;
}

class S3Driver implements DestinationDriver {
  readonly kind = 's3';

  constructor(private readonly calls: S3Calls) {}

  async check(caller: AbortSignal): Promise<void> {
    const signal = this.begin(caller);
    const key = `${this.calls.options.prefix ?? ''}${PROBE_NAME}`;
    const options = { contentType: 'text/plain', signal };
    // Each of them is another permission, and a run that lacks only the last one would fail after hours.
    const uploadId = await beginUpload(this.calls, key, options);
    await abortUpload(this.calls, { key, uploadId }, new AbortController().signal);
    await putWhole(this.calls, key, Buffer.from('This object may be removed.\n'), options);
    await this.deleteObject(key, signal);
  }

  async createObject(key: string, options: CreateObjectOptions): Promise<ObjectWriter> {
    this.begin(options.signal);
    return new S3Writer(this.calls, key, options);
  }

  async putObject(key: string, body: Uint8Array, options: PutOptions): Promise<void> {
    await putWhole(this.calls, key, body, { ...options, signal: this.begin(options.signal) });
  }

  async deleteObject(key: string, caller: AbortSignal): Promise<void> {
    const { sdk, target } = this.calls;
    const command = new sdk.DeleteObjectCommand({ ...target, Key: key });
    // S3 answers 204 for an absent object.
    await this.calls.call('DeleteObject', this.begin(caller), (s3, http) => s3.send(command, http));
  }

  async abortUnfinished(options: {
    keyPrefix: string;
    uploads: readonly UploadRef[];
    signal: AbortSignal;
  }): Promise<number> {
    const signal = this.begin(options.signal);
    let aborted = 0;
    for (const upload of options.uploads) if (await abortUpload(this.calls, upload, signal)) aborted += 1;
    for await (const upload of this.listUnfinished(options.keyPrefix, signal)) {
      if (await abortUpload(this.calls, upload, signal)) aborted += 1;
    }
    return aborted;
  }

  async close(): Promise<void> {
    this.calls.close();
  }

  private async *listUnfinished(prefix: string, signal: AbortSignal): AsyncGenerator<UploadRef> {
    let marker: UploadMarker | undefined = {};
    while (marker !== undefined) {
      const page: ListMultipartUploadsCommandOutput | undefined = await this.unfinishedPage(prefix, marker, signal);
      for (const { Key, UploadId } of page?.Uploads ?? []) {
        if (Key !== undefined && UploadId !== undefined) yield { key: Key, uploadId: UploadId };
      }
      const { NextKeyMarker, NextUploadIdMarker } = page ?? {};
      const more = page?.IsTruncated === true && NextKeyMarker !== undefined;
      marker = more ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined;
    }
  }

  private async unfinishedPage(
    prefix: string,
    marker: UploadMarker,
    signal: AbortSignal,
  ): Promise<ListMultipartUploadsCommandOutput | undefined> {
    const { sdk, target } = this.calls;
    const command = new sdk.ListMultipartUploadsCommand({ ...target, Prefix: prefix, ...marker });
    try {
      return await this.calls.call('ListMultipartUploads', signal, (s3, http) => s3.send(command, http));
    } catch (error) {
      // A customer's policy may not allow the listing; the uploads whose ids were noted have been aborted by now.
      if (error instanceof DestinationError && error.code === 'access_denied') return undefined;
      throw error;
    }
  }

  private begin(caller: AbortSignal): AbortSignal {
    const signal = this.calls.signal(caller);
    throwIfAborted(signal);
    return signal;
  }
}
