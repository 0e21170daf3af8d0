import type { CompletedPart } from '@aws-sdk/client-s3';
import {
  DestinationError,
  PartCutter,
  throwIfAborted,
  type CreateObjectOptions,
  type ObjectWriter,
  type Part,
} from '@delivery/destinations/driver';
import { assertBytesStored, assertObjectStored, crc32Of, encodeCrc32, type StoredAnswer } from './s3-checksums';
import type { S3Calls } from './s3-calls';
import { DEFAULT_PART_BYTES, DEFAULT_PARTS_IN_FLIGHT, MAX_PARTS } from './s3-options';

/** One PutObject for what fits into a part, otherwise a multipart upload that begins with the second part's first byte. */
export class S3Writer implements ObjectWriter {
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private readonly cutter: PartCutter;
  private readonly parts: (CompletedPart & StoredAnswer)[] = [];
  private objectCrc = 0;
  private begun: Promise<string> | undefined;
  private uploadId: string | undefined;
  private finished = false;

  constructor(
    private readonly calls: S3Calls,
    private readonly key: string,
    private readonly object: CreateObjectOptions,
  ) {
    this.signal = AbortSignal.any([calls.signal(object.signal), this.stop.signal]);
    this.cutter = new PartCutter({
      partBytes: calls.options.partSizeBytes ?? DEFAULT_PART_BYTES,
      partsInFlight: calls.options.partsInFlight ?? DEFAULT_PARTS_IN_FLIGHT,
      free: calls.freeParts,
      upload: (part) => this.uploadPart(part),
      signal: this.signal,
    });
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.cutter.write(chunk);
  }

  async finish(): Promise<{ bytes: number }> {
    const last = await this.cutter.end();
    if (last.number === 1) await putWhole(this.calls, this.key, last.bytes, { ...this.object, signal: this.signal });
    else {
      await this.uploadPart(last);
      await this.complete();
    }
    this.finished = true;
    this.cutter.release();
    return { bytes: this.cutter.bytes };
  }

  async abort(): Promise<void> {
    if (this.finished) return;
    this.stop.abort(new Error('the object was aborted'));
    // A part that arrives after the abort would be stored, and paid for, in an upload that is gone: wait for all.
    await this.cutter.settled();
    await this.begun?.catch(() => undefined);
    if (this.uploadId === undefined) return;
    await abortUpload(this.calls, { key: this.key, uploadId: this.uploadId }, new AbortController().signal);
    this.uploadId = undefined;
  }

  private async uploadPart(part: Part): Promise<void> {
    const { number, bytes } = part;
    if (number > MAX_PARTS) throw tooLarge(this.key, MAX_PARTS * bytes.byteLength);
    const checksum = encodeCrc32(crc32Of(bytes));
    // Parts are cut in order, and nothing has been awaited yet, so this sum is over the bytes in order.
    this.objectCrc = crc32Of(bytes, this.objectCrc);
    const uploadId = await (this.begun ??= this.begin());
    const { sdk, target } = this.calls;
    this.parts[number - 1] = await this.calls.call('UploadPart', this.signal, async (s3, http) => {
      const command = new sdk.UploadPartCommand({
        ...target,
        Key: this.key,
        UploadId: uploadId,
        PartNumber: number,
        Body: bytes,
        ChecksumCRC32: checksum,
      });
      const answer = await s3.send(command, http);
      assertBytesStored({ bytes, crc32: checksum }, answer);
      return {
        PartNumber: number,
        ETag: answer.ETag,
        ChecksumCRC32: checksum,
        ServerSideEncryption: answer.ServerSideEncryption,
      };
    });
  }

  private async begin(): Promise<string> {
    const uploadId = await beginUpload(this.calls, this.key, { ...this.object, signal: this.signal });
    this.uploadId = uploadId;
    throwIfAborted(this.signal);
    await this.object.onUploadStarted?.({ key: this.key, uploadId });
    return uploadId;
  }

  private async complete(): Promise<void> {
    const { sdk, target } = this.calls;
    const crc32 = encodeCrc32(this.objectCrc);
    let tries = 0;
    const command = new sdk.CompleteMultipartUploadCommand({
      ...target,
      Key: this.key,
      UploadId: this.uploadId,
      MultipartUpload: {
        Parts: this.parts.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32 })),
      },
      // The store compares both before the object becomes visible.
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC32: crc32,
      MpuObjectSize: this.cutter.bytes,
    });
    await this.calls.call('CompleteMultipartUpload', this.signal, async (s3, http) => {
      tries += 1;
      try {
        assertObjectStored({ crc32, parts: this.parts }, await s3.send(command, http));
      } catch (error) {
        // The answer of an earlier try was lost: the store may have completed the upload and forgotten it.
        const gone = tries > 1 && this.calls.mapped('CompleteMultipartUpload', error).code === 'upload_lost';
        if (!gone || !(await this.isStored(crc32))) throw error;
      }
    });
  }

  private async isStored(crc32: string): Promise<boolean> {
    const { sdk, target } = this.calls;
    const command = new sdk.HeadObjectCommand({ ...target, Key: this.key, ChecksumMode: 'ENABLED' });
    try {
      const answer = await this.calls.call('HeadObject', this.signal, (s3, http) => s3.send(command, http));
      assertObjectStored({ crc32, parts: this.parts }, answer);
      return answer.ContentLength === this.cutter.bytes;
    } catch {
      // Whatever keeps us from seeing it (no s3:GetObject, say): it is not known to be stored.
      return false;
    }
  }
}

function tooLarge(key: string, limit: number): DestinationError {
  const message = `The object "${key}" is larger than ${limit} bytes, the most that ${MAX_PARTS} parts hold. Split the export into smaller files.`;
  return new DestinationError('object_too_large', message);
}

/** Writes an object with one request and compares what arrived. */
export async function putWhole(
  calls: S3Calls,
  key: string,
  bytes: Uint8Array,
  options: Omit<CreateObjectOptions, 'onUploadStarted'>,
): Promise<void> {
  const { sdk, target } = calls;
  const checksum = encodeCrc32(crc32Of(bytes));
  const command = new sdk.PutObjectCommand({
    ...target,
    Key: key,
    Body: bytes,
    ContentType: options.contentType,
    ContentEncoding: options.contentEncoding,
    ChecksumCRC32: checksum,
  });
  await calls.call('PutObject', options.signal, async (s3, http) => {
    assertBytesStored({ bytes, crc32: checksum }, await s3.send(command, http));
  });
}

/** @returns the id of the new multipart upload */
export async function beginUpload(
  calls: S3Calls,
  key: string,
  options: Omit<CreateObjectOptions, 'onUploadStarted'>,
): Promise<string> {
  const { sdk, target } = calls;
  const command = new sdk.CreateMultipartUploadCommand({
    ...target,
    Key: key,
    ContentType: options.contentType,
    ContentEncoding: options.contentEncoding,
    ChecksumAlgorithm: 'CRC32',
    ChecksumType: 'FULL_OBJECT',
  });
  // Not cut off by the signal: an answer that never arrives would leave an upload whose id nobody knows.
  return calls.call('CreateMultipartUpload', options.signal, async (s3, _, timed) => {
    const { UploadId } = await s3.send(command, timed);
    if (UploadId !== undefined) return UploadId;
    const message = `Bucket "${calls.options.bucket}" gave no id for an upload. The delivery is tried again later.`;
    throw new DestinationError('unavailable', message);
  });
}

/** @returns whether there was such an upload */
export async function abortUpload(
  calls: S3Calls,
  upload: { key: string; uploadId: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { sdk, target } = calls;
  const command = new sdk.AbortMultipartUploadCommand({ ...target, Key: upload.key, UploadId: upload.uploadId });
  try {
    await calls.call('AbortMultipartUpload', signal, (s3, http) => s3.send(command, http));
    return true;
  } catch (error) {
    if (error instanceof DestinationError && error.code === 'upload_lost') return false;
    throw error;
  }
}
