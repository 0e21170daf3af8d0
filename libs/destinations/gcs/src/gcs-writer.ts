import {
  DestinationError,
  PartCutter,
  throwIfAborted,
  type CreateObjectOptions,
  type ObjectWriter,
  type Part,
} from '@delivery/destinations/driver';
import { Crc32c } from './crc32c';
import type { GcsCalls } from './gcs-calls';
import { DEFAULT_CHUNK_BYTES } from './gcs-options';
import { UnreadableAnswer } from './gcs-errors';
import type { HttpAnswer } from './http-exchange';

/** How often in a row a session may keep nothing of what it was sent. */
const MAX_STALLED = 5;

/** What Cloud Storage says about a finished object. */
interface StoredObject {
  size: number;
  crc32c: string;
  generation: string;
}

/** A resumable upload, one chunk after the other: cloud.google.com/storage/docs/performing-resumable-uploads */
export class GcsWriter implements ObjectWriter {
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private readonly cutter: PartCutter;
  private readonly crc32c = new Crc32c();
  private begun: Promise<URL> | undefined;
  private session: URL | undefined;
  /** How many bytes the store said it has. */
  private persisted = 0;
  private finished = false;

  constructor(
    private readonly calls: GcsCalls,
    private readonly key: string,
    private readonly object: CreateObjectOptions,
  ) {
    this.signal = AbortSignal.any([calls.signal(object.signal), this.stop.signal]);
    this.cutter = new PartCutter({
      partBytes: calls.options.chunkSizeBytes ?? DEFAULT_CHUNK_BYTES,
      // A session takes its chunks in order.
      partsInFlight: 1,
      free: calls.freeParts,
      upload: (part) => this.uploadChunk(part),
      signal: this.signal,
    });
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.cutter.write(chunk);
  }

  async finish(): Promise<{ bytes: number }> {
    const last = await this.cutter.end();
    this.crc32c.update(last.bytes);
    const bytes = this.cutter.bytes;
    const session = await (this.begun ??= this.begin({ tell: false }));
    const answer = await this.send(session, last, bytes);
    await this.verify(storedObject(answer), bytes);
    this.finished = true;
    this.cutter.release();
    return { bytes };
  }

  async abort(): Promise<void> {
    if (this.finished) return;
    this.stop.abort(new Error('the object was aborted'));
    await this.cutter.settled();
    await this.begun?.catch(() => undefined);
    if (this.session === undefined) return;
    await cancelSession(this.calls, this.session, new AbortController().signal);
    this.session = undefined;
  }

  private async uploadChunk(part: Part): Promise<void> {
    this.crc32c.update(part.bytes);
    const session = await (this.begun ??= this.begin({ tell: true }));
    await this.send(session, part, undefined);
  }

  private async begin({ tell }: { tell: boolean }): Promise<URL> {
    const session = await beginSession(this.calls, this.key, { ...this.object, signal: this.signal });
    this.session = session;
    throwIfAborted(this.signal);
    if (tell) await this.object.onUploadStarted?.({ key: this.key, uploadId: uploadIdOf(session) });
    return session;
  }

  /**
   * Sends a chunk until the store has all of it: it may keep only a beginning, and it ignores bytes that it has
   * already, so a chunk whose answer was lost is simply sent again.
   *
   * @param total the object's size, with the last chunk
   */
  private async send(session: URL, part: Part, total: number | undefined): Promise<HttpAnswer> {
    const end = part.offset + part.bytes.byteLength;
    let stalled = 0;
    for (;;) {
      const from = Math.max(part.offset, this.persisted);
      const range = end > from ? `${from}-${end - 1}` : '*';
      const hash = total === undefined ? {} : { 'x-goog-hash': `crc32c=${this.crc32c.toString()}` };
      const answer = await this.calls.call({
        operation: 'upload',
        method: 'PUT',
        url: session,
        headers: { 'content-range': `bytes ${range}/${total ?? '*'}`, ...hash },
        body: part.bytes.subarray(from - part.offset),
        signal: this.signal,
        expect: total === undefined ? [308] : [200, 201, 308],
        inspect: (given) => void (given.status === 308 || storedObject(given)),
        authorized: false,
      });
      if (answer.status !== 308) return answer;
      this.persisted = persistedOf(answer, { from, end });
      if (total === undefined && this.persisted === end) return answer;
      stalled = this.persisted > from ? 0 : stalled + 1;
      // A session that takes nothing any more would otherwise be asked for ever.
      if (stalled >= MAX_STALLED) throw stalledError(this.calls.options.bucket, this.key);
    }
  }

  private async verify(stored: StoredObject, bytes: number): Promise<void> {
    const crc32c = this.crc32c.toString();
    if (stored.size === bytes && stored.crc32c === crc32c) return;
    // Only this very generation: another attempt may have written the key since.
    await this.calls.call({
      operation: 'delete',
      method: 'DELETE',
      url: this.calls.objectUrl(this.key, { ifGenerationMatch: stored.generation }),
      signal: this.signal,
      expect: [200, 204, 404, 412],
    });
    const given = `${stored.size} bytes with CRC32C ${stored.crc32c} instead of ${bytes} with ${crc32c}`;
    const message = `Bucket "${this.calls.options.bucket}" stored ${given} of "${this.key}". The delivery is tried again later.`;
    throw new DestinationError('checksum_mismatch', message);
  }
}

/** @returns the URL of a new session */
async function beginSession(
  calls: GcsCalls,
  key: string,
  options: Omit<CreateObjectOptions, 'onUploadStarted'>,
): Promise<URL> {
  const { contentType, contentEncoding } = options;
  const answer = await calls.call({
    operation: 'begin_upload',
    method: 'POST',
    url: calls.uploadUrl({ name: key }),
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-upload-content-type': contentType },
    body: Buffer.from(JSON.stringify({ name: key, contentType, contentEncoding })),
    signal: options.signal,
    expect: [200, 201],
    inspect: ({ headers }) => void sessionAt(calls.endpoint, headers.location),
  });
  return sessionAt(calls.endpoint, answer.headers.location);
}

/** Only the path is taken from the answer: the bytes of an export go to the server that was configured. */
function sessionAt(endpoint: string, location: string | undefined): URL {
  const session = new URL(endpoint);
  if (location !== undefined && URL.canParse(location, endpoint)) {
    const { pathname, search } = new URL(location, endpoint);
    session.pathname = pathname;
    session.search = search;
  }
  if (uploadIdOf(session) === '') throw new UnreadableAnswer('the answer names no session for the upload');
  return session;
}

function uploadIdOf(session: URL): string {
  return session.searchParams.get('upload_id') ?? '';
}

/** @returns whether there was such a session */
export async function cancelSession(calls: GcsCalls, session: URL, signal: AbortSignal): Promise<boolean> {
  try {
    await calls.call({
      operation: 'cancel_upload',
      method: 'DELETE',
      url: session,
      signal,
      // 499 is how the store says that a session was cancelled.
      expect: [499, 200, 204],
      authorized: false,
    });
    return true;
  } catch (error) {
    if (error instanceof DestinationError && error.code === 'upload_lost') return false;
    throw error;
  }
}

function persistedOf(answer: HttpAnswer, { from, end }: { from: number; end: number }): number {
  const last = /^bytes=0-(\d+)$/.exec(answer.headers.range ?? '')?.[1];
  const persisted = last === undefined ? 0 : Number(last) + 1;
  // Bytes before this chunk are no longer in memory, so they cannot be sent again.
  if (persisted < from || persisted > end) {
    throw new DestinationError(
      'upload_lost',
      `The store kept ${persisted} bytes of an upload that had reached ${from}.`,
    );
  }
  return persisted;
}

function stalledError(bucket: string, key: string): DestinationError {
  const message = `Bucket "${bucket}" keeps nothing more of "${key}". The delivery is tried again later.`;
  return new DestinationError('unavailable', message);
}

function storedObject(answer: HttpAnswer): StoredObject {
  let object: Record<string, unknown> = {};
  try {
    object = JSON.parse(answer.body);
  } catch {
    // It says nothing, then.
  }
  const { size, crc32c, generation } = object ?? {};
  if (size === undefined || crc32c === undefined || generation === undefined) {
    throw new UnreadableAnswer('the answer does not say what was stored');
  }
  return { size: Number(size), crc32c: String(crc32c), generation: String(generation) };
}
