import { availableParallelism } from 'node:os';
import { constants, crc32, createDeflateRaw, createZstdCompress } from 'node:zlib';
import type { Compression } from '@delivery/exports/domain';

/** Where finished bytes go; resolves when it may be given more. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** One file being compressed. `write` takes a block over: its memory may not be changed afterwards. */
export interface Compressor {
  write(block: Uint8Array): Promise<void>;
  /** The last bytes are in the sink when it resolves. */
  finish(): Promise<void>;
}

export function openCompressor(compression: Compression, sink: Sink): Compressor {
  switch (compression) {
    case 'gzip':
      return new ParallelGzip(sink);
    case 'zstd':
      return new Zstd(sink);
    case 'none':
      return { write: sink, finish: async () => undefined };
  }
}

/** No name, no time (the same run gives the same bytes), fastest, no operating system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
/** An empty block with the mark of the last one: every block before it ends on a byte. */
const LAST_BLOCK = Buffer.from([3, 0]);

/**
 * Gzip (RFC 1952) whose blocks are compressed side by side on libuv's threads, much as pigz does it: each block is
 * deflated by itself and ends on a byte, so that all of them together are one ordinary gzip member. The bytes depend on
 * the blocks only, not on how many threads there are.
 */
export class ParallelGzip implements Compressor {
  private readonly lanes: Deflater[];
  private readonly running: Promise<readonly Uint8Array[]>[] = [];
  private checksum = 0;
  private bytes = 0;
  private blocks = 0;
  private begun = false;

  constructor(
    private readonly sink: Sink,
    concurrency = Math.min(4, availableParallelism()),
  ) {
    this.lanes = Array.from({ length: concurrency }, () => new Deflater());
  }

  async write(block: Uint8Array): Promise<void> {
    if (block.length === 0) return;
    while (this.running.length >= this.lanes.length) await this.passOn();
    this.checksum = crc32(block, this.checksum);
    this.bytes += block.length;
    // Blocks are passed on in order, so the lane whose turn it is has been waited for.
    const compressed = this.lanes[this.blocks % this.lanes.length]?.deflate(block) ?? Promise.resolve([]);
    this.blocks += 1;
    // Awaited in order; until then a failure must not count as unhandled.
    compressed.catch(() => undefined);
    this.running.push(compressed);
  }

  async finish(): Promise<void> {
    while (this.running.length > 0) await this.passOn();
    for (const lane of this.lanes) lane.close();
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.checksum, 0);
    trailer.writeUInt32LE(this.bytes % 2 ** 32, 4);
    await this.sink(Buffer.concat([...(this.begun ? [] : [GZIP_HEADER]), LAST_BLOCK, trailer]));
  }

  private async passOn(): Promise<void> {
    const compressed = (await this.running.shift()) ?? [];
    if (!this.begun) await this.sink(GZIP_HEADER);
    this.begun = true;
    for (const bytes of compressed) await this.sink(bytes);
  }
}

/**
 * Deflates one block after the other, each as if it were the first. Made once and reset, because V8 takes the memory of
 * a new one for pressure: with one for each block, two thirds of an export's time went into collecting garbage. What
 * that costs is deflate's look back into the block before, about one part in a hundred.
 */
class Deflater {
  private readonly stream = createDeflateRaw({
    level: 1,
    memLevel: 9,
    flush: constants.Z_SYNC_FLUSH,
    chunkSize: 128 * 1024,
  });
  private deflated: Uint8Array[] = [];

  constructor() {
    this.stream.on('data', (bytes: Uint8Array) => this.deflated.push(bytes));
    // Told by the call in hand.
    this.stream.on('error', () => undefined);
  }

  deflate(block: Uint8Array): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      this.stream.write(block, (error) => {
        if (error) return reject(error);
        const { deflated } = this;
        this.deflated = [];
        this.stream.reset();
        resolve(deflated);
      });
    });
  }

  close(): void {
    this.stream.destroy();
  }
}

/**
 * Zstandard (RFC 8878), fastest level, with checksum. One frame for the whole file, although blocks could then be
 * compressed side by side: widespread readers (python-zstandard, and with it pandas) stop at the end of the first frame
 * without a word. It is several times as fast as gzip as it is.
 */
class Zstd implements Compressor {
  private readonly stream = createZstdCompress({
    chunkSize: 128 * 1024,
    params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  /** Rejects with what the sink refuses. */
  private readonly passedOn: Promise<void>;
  /** While one block is compressed, the next may be filled. */
  private before = Promise.resolve();

  constructor(sink: Sink) {
    this.passedOn = this.passOn(sink);
    // Awaited by whoever writes; until then a failure must not count as unhandled.
    this.passedOn.catch(() => undefined);
  }

  /** Resolves when the block before is compressed, and all but the last of its bytes are in the sink. */
  async write(block: Uint8Array): Promise<void> {
    await this.before;
    this.before = this.compress(block);
    // Awaited by whoever writes next; until then a failure must not count as unhandled.
    this.before.catch(() => undefined);
  }

  async finish(): Promise<void> {
    await this.before;
    this.stream.end();
    await this.passedOn;
  }

  private async compress(block: Uint8Array): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.stream.write(block, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      await this.passedOn;
      throw error;
    }
  }

  private async passOn(sink: Sink): Promise<void> {
    for await (const bytes of this.stream) await sink(bytes);
  }
}
