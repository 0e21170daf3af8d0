import { DestinationError, type DestinationReader, type DriverDeps } from '@delivery/destinations/driver';
import { S3Calls } from './s3-calls';
import type { S3DestinationOptions } from './s3-options';

/** Reads a bucket back. Needs s3:ListBucket and s3:GetObject (without the first, S3 answers 403 for absent objects). */
export async function openS3Reader(options: S3DestinationOptions, deps: DriverDeps = {}): Promise<DestinationReader> {
  const calls = await S3Calls.open(options, deps);
  return {
    list: (prefix, signal) => list(calls, prefix, signal),
    read: (key, signal) => read(calls, key, signal),
    close: async () => calls.close(),
  };
}

async function* list(
  calls: S3Calls,
  prefix: string,
  caller: AbortSignal,
): AsyncGenerator<{ key: string; bytes: number }> {
  const signal = calls.signal(caller);
  let token: string | undefined;
  do {
    const command = new calls.sdk.ListObjectsV2Command({ ...calls.target, Prefix: prefix, ContinuationToken: token });
    const page = await calls.call('ListObjectsV2', signal, (s3, http) => s3.send(command, http));
    for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) yield { key: Key, bytes: Size ?? 0 };
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

async function read(calls: S3Calls, key: string, caller: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
  const signal = calls.signal(caller);
  const command = new calls.sdk.GetObjectCommand({ ...calls.target, Key: key });
  const answer = await calls.call('GetObject', signal, async (s3, http) => {
    try {
      return await s3.send(command, http);
    } catch (error) {
      if (error instanceof calls.sdk.NoSuchKey) return undefined;
      throw error;
    }
  });
  if (answer === undefined) return undefined;
  const { Body, ContentLength } = answer;
  if (Body === undefined) throw new DestinationError('connection_lost', `The answer for "${key}" has no body.`);
  return chunksOf(calls, Body as AsyncIterable<Uint8Array>, { key, bytes: ContentLength });
}

async function* chunksOf(
  calls: S3Calls,
  body: AsyncIterable<Uint8Array>,
  expected: { key: string; bytes: number | undefined },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    throw calls.mapped('GetObject', error);
  }
  if (expected.bytes !== undefined && bytes !== expected.bytes) {
    const message = `"${expected.key}" ended after ${bytes} of ${expected.bytes} bytes.`;
    throw new DestinationError('connection_lost', message);
  }
}
