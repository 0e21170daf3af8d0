import { throwIfAborted } from './errors';

export interface Part {
  /** From 1. */
  number: number;
  /** Where its first byte lies in the object. */
  offset: number;
  /** Valid until the upload of this part resolves: the memory is used again. */
  bytes: Uint8Array;
}

export interface PartCutterOptions {
  partBytes: number;
  /** How many parts may be under way at once; one more is being filled meanwhile, and that is all the memory used. */
  partsInFlight: number;
  /**
   * Memory of parts that are done, of this size, for all objects of a destination: buffers of their own for each file
   * would all wait for the garbage collector, which takes its time.
   */
  free: Buffer[];
  /** Called in the order of the parts. */
  upload: (part: Part) => Promise<void>;
  signal: AbortSignal;
}

/**
 * Cuts a stream of chunks into parts of one size and keeps a bounded number of their uploads going: what the writers
 * of stores with multipart uploads have in common. A part leaves only when more bytes follow it, so the last one is
 * never empty unless the object is, and an object of at most one part is never begun as a multipart upload.
 */
export class PartCutter {
  private readonly underway = new Set<Promise<void>>();
  private current: Buffer | undefined;
  private filled = 0;
  private cut = 0;
  private failure: { error: unknown } | undefined;

  constructor(private readonly options: PartCutterOptions) {}

  /** Bytes taken over so far. */
  get bytes(): number {
    return this.cut * this.options.partBytes + this.filled;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.assertUsable();
    for (let taken = 0; taken < chunk.byteLength;) {
      if (this.filled === this.options.partBytes) await this.dispatch();
      const part = (this.current ??= this.options.free.pop() ?? Buffer.allocUnsafeSlow(this.options.partBytes));
      const piece = chunk.subarray(taken, taken + this.options.partBytes - this.filled);
      part.set(piece, this.filled);
      this.filled += piece.byteLength;
      taken += piece.byteLength;
    }
  }

  /** Waits for all parts that left and returns the one that did not. */
  async end(): Promise<Part> {
    this.assertUsable();
    while (this.underway.size > 0) await this.anyDone();
    const bytes = (this.current ?? Buffer.alloc(0)).subarray(0, this.filled);
    return { number: this.cut + 1, offset: this.cut * this.options.partBytes, bytes };
  }

  /** The last part is done as well. */
  release(): void {
    if (this.current !== undefined) this.options.free.push(this.current);
    this.current = undefined;
  }

  /** Resolves when no upload is under way any more, however each ended; never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underway);
  }

  private async dispatch(): Promise<void> {
    while (this.underway.size >= this.options.partsInFlight) await this.anyDone();
    const buffer = this.current;
    if (buffer === undefined) return;
    const part = { number: this.cut + 1, offset: this.cut * this.options.partBytes, bytes: buffer };
    this.cut += 1;
    this.filled = 0;
    this.current = undefined;
    const upload = this.options.upload(part).then(
      () => void this.options.free.push(buffer),
      (error: unknown) => {
        this.failure ??= { error };
      },
    );
    this.underway.add(upload);
    void upload.then(() => this.underway.delete(upload));
  }

  /** Waits until one upload has ended, or the signal is aborted, so that a hanging store cannot hold the caller. */
  private async anyDone(): Promise<void> {
    const { signal } = this.options;
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    const onAbort = (): void => stop();
    signal.addEventListener('abort', onAbort);
    try {
      if (!signal.aborted) await Promise.race([stopped, ...this.underway]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.assertUsable();
  }

  private assertUsable(): void {
    if (this.failure !== undefined) throw this.failure.error;
    throwIfAborted(this.options.signal);
  }
}
