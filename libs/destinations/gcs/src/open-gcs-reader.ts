import type { IncomingMessage } from 'node:http';
import { DestinationError, type DestinationReader, type DriverDeps } from '@delivery/destinations/driver';
import { GcsCalls } from './gcs-calls';
import { mapGcsError } from './gcs-errors';
import type { GcsDestinationOptions } from './gcs-options';

/** Reads a bucket back. Needs storage.objects.list and storage.objects.get. */
export async function openGcsReader(options: GcsDestinationOptions, deps: DriverDeps = {}): Promise<DestinationReader> {
  const calls = await GcsCalls.open(options, deps);
  return {
    list: (prefix, signal) => list(calls, prefix, signal),
    read: async (key, signal) => {
      const message = await calls.stream({
        operation: 'read',
        method: 'GET',
        url: calls.objectUrl(key, { alt: 'media' }),
        // Without it, objects with a content encoding are decompressed on the way.
        headers: { 'accept-encoding': 'gzip' },
        signal: calls.signal(signal),
      });
      return message === undefined ? undefined : chunksOf(calls, message, key);
    },
    close: async () => calls.close(),
  };
}

interface ListPage {
  items?: { name: string; size: string }[];
  nextPageToken?: string;
}

async function* list(
  calls: GcsCalls,
  prefix: string,
  caller: AbortSignal,
): AsyncGenerator<{ key: string; bytes: number }> {
  const signal = calls.signal(caller);
  let token: string | undefined = '';
  while (token !== undefined) {
    const query = { prefix, fields: 'items(name,size),nextPageToken', ...(token === '' ? {} : { pageToken: token }) };
    const url = calls.objectUrl(undefined, query);
    const answer = await calls.call({ operation: 'list', method: 'GET', url, signal, expect: [200] });
    const page: ListPage = JSON.parse(answer.body);
    for (const { name, size } of page.items ?? []) yield { key: name, bytes: Number(size) };
    token = page.nextPageToken === '' ? undefined : page.nextPageToken;
  }
}

async function* chunksOf(calls: GcsCalls, message: IncomingMessage, key: string): AsyncGenerator<Uint8Array> {
  const expected = message.headers['content-length'];
  let bytes = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    throw mapGcsError(error, calls.context('read'));
  }
  if (expected !== undefined && bytes !== Number(expected)) {
    throw new DestinationError('connection_lost', `"${key}" ended after ${bytes} of ${expected} bytes.`);
  }
}
