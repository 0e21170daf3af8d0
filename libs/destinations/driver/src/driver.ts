export type DestinationKind = 's3' | 'gcs' | 'file';

/** An upload that was begun and is neither finished nor aborted: what a later attempt needs in order to abort it. */
export interface UploadRef {
  key: string;
  /** The store's own id of the upload. On GCS it is enough to write to this one object: do not show it to anybody. */
  uploadId: string;
}

export interface PutOptions {
  contentType: string;
  contentEncoding?: string;
  signal: AbortSignal;
}

export interface CreateObjectOptions extends PutOptions {
  /**
   * Called once, before the first byte leaves, if the store will keep an unfinished upload; awaited, so that the
   * upload's id is durable with the caller before there is something to sweep. Not called for objects small enough for
   * a single request. If it rejects, the call in progress (`createObject`, `write` or `finish`) rejects with the same,
   * and `abort` removes the upload.
   */
  onUploadStarted?: (upload: UploadRef) => Promise<void>;
}

/**
 * One object being written.
 *
 * Order: `write*`, then `finish` or `abort`. One caller, which awaits each call before the next.
 * After any rejection only `abort` may be called, and must be.
 */
export interface ObjectWriter {
  /**
   * Takes over `chunk` (any size, also empty). Resolves when more may be written: this is the backpressure, and a
   * driver never keeps more than a few parts in memory. The caller may reuse the chunk's memory once it resolves.
   * A failure of an earlier part surfaces here or in `finish`.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * When it resolves, the object is durable and visible whole under its key, replacing what was there in one step, and
   * its size and checksum were compared with what was sent. Until then nothing of it is visible.
   */
  finish(): Promise<{ bytes: number }>;
  /**
   * Drops the object: no part of it, and no unfinished upload, stays behind. May be called at any time, also after a
   * failed `write` or `finish` or an aborted signal, and repeatedly; after a `finish` that resolved it does nothing.
   *
   * One case cannot be undone: when a `finish` failed because its answer was lost, the store may have completed the
   * object. It is then whole and stays, because removing it could remove what another attempt has written under the
   * same key since. Rejects when the store could not be reached; the upload is then still to be swept.
   */
  abort(): Promise<void>;
}

/**
 * How bytes reach one kind of storage: one driver instance is one bucket with one set of credentials.
 *
 * - Concurrency: all methods may be called concurrently, also with several writers open, as long as their keys differ.
 * - Repetition: every method may be repeated after a failure. Failures that pass by themselves (throttling, 5xx,
 *   resets, timeouts) have already been retried a bounded number of times, with backoff and jitter.
 * - Errors: every rejection is a `DestinationError` (except those of the caller's own callbacks).
 * - Signals: an aborted signal rejects with the code `aborted`, soon and without leaving sockets open; what had been
 *   begun is cleaned up by `abort` or `abortUnfinished`, not by the signal.
 * - Keys: as `keyFault` accepts them; anything else rejects with `invalid_key` before anything is sent.
 */
export interface DestinationDriver {
  readonly kind: DestinationKind;
  /**
   * Does what an export does (begins and aborts an upload, writes and removes a small object) and needs no more
   * permission than that. Leaves nothing behind. The probe is `_delivery-check` under the driver's own prefix.
   */
  check(signal: AbortSignal): Promise<void>;
  /** Begins one object. Nothing is visible, and an existing object under this key stays as it is, until `finish`. */
  createObject(key: string, options: CreateObjectOptions): Promise<ObjectWriter>;
  /** Writes a small object (a manifest, `_SUCCESS`) in one request, with the same promise as `finish`. */
  putObject(key: string, body: Uint8Array, options: PutOptions): Promise<void>;
  /** Removes one object. An absent one is fine. */
  deleteObject(key: string, signal: AbortSignal): Promise<void>;
  /**
   * Aborts the given uploads, and all others that the store can list under `keyPrefix`, whoever began them. An upload
   * that is gone already is fine, and a denied listing is not an error (a customer's policy may not allow it).
   * @returns how many uploads were aborted
   */
  abortUnfinished(options: { keyPrefix: string; uploads: readonly UploadRef[]; signal: AbortSignal }): Promise<number>;
  /** Releases connections. Idempotent; writers that are still open fail. */
  close(): Promise<void>;
}

/** Reads a destination back: what `verify` and the contract suite use. Needs permissions that an export does not. */
export interface DestinationReader {
  /** Finished objects whose key begins with `prefix`, ascending by the UTF-8 bytes of the key. Lists page by page. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<{ key: string; bytes: number }>;
  /**
   * The stored bytes (never decompressed on the way), or `undefined` if there is no such object; everything else that
   * goes wrong rejects, also in the middle of the stream, also when it ends early.
   */
  read(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  close(): Promise<void>;
}

/** The object that `check` writes and removes, below the driver's own prefix. */
export const PROBE_NAME = '_delivery-check';
