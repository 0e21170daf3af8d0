import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, crc32, createZstdCompress, deflateRaw } from 'node:zlib';
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

const deflate = promisify(deflateRaw);

/** No name, no time (the same run gives the same bytes), fastest, no operating system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
/** An empty block with the mark of the last one: every block before it ends on a byte. */
const LAST_BLOCK = Buffer.from([3, 0]);
/** As far as deflate looks back. */
const DICTIONARY_BYTES = 32 * 1024;

/**
 * Gzip (RFC 1952) whose blocks are compressed side by side on libuv's threads, as pigz does it: each block is deflated
 * by itself with the end of the one before as dictionary and ends on a byte, so that all of them together are one
 * ordinary gzip member. The bytes depend on the blocks only, not on how many threads there are.
 */
export class ParallelGzip implements Compressor {
  private readonly running: Promise<Uint8Array>[] = [];
  private dictionary: Uint8Array | undefined;
  private checksum = 0;
  private bytes = 0;
  private begun = false;

  constructor(
    private readonly sink: Sink,
    private readonly concurrency = Math.min(4, availableParallelism()),
  ) {}

  async write(block: Uint8Array): Promise<void> {
    if (block.length === 0) return;
    this.checksum = crc32(block, this.checksum);
    this.bytes += block.length;
    const compressed = deflate(block, {
      level: 1,
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: 128 * 1024,
      ...(this.dictionary === undefined ? {} : { dictionary: this.dictionary }),
    });
    // Awaited in order below; until then a failure must not count as unhandled.
    compressed.catch(() => undefined);
    this.running.push(compressed);
    this.dictionary = block.subarray(Math.max(0, block.length - DICTIONARY_BYTES));
    while (this.running.length > this.concurrency) await this.passOn();
  }

  async finish(): Promise<void> {
    while (this.running.length > 0) await this.passOn();
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.checksum, 0);
    trailer.writeUInt32LE(this.bytes % 2 ** 32, 4);
    await this.sink(Buffer.concat([...(this.begun ? [] : [GZIP_HEADER]), LAST_BLOCK, trailer]));
  }

  private async passOn(): Promise<void> {
    const compressed = await this.running.shift();
    if (compressed === undefined) return;
    if (!this.begun) await this.sink(GZIP_HEADER);
    this.begun = true;
    await this.sink(compressed);
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

  constructor(sink: Sink) {
    this.passedOn = this.passOn(sink);
    // Awaited by whoever writes; until then a failure must not count as unhandled.
    this.passedOn.catch(() => undefined);
  }

  /** Resolves when the block is compressed, and all but the last of its bytes are in the sink. */
  async write(block: Uint8Array): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.stream.write(block, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      await this.passedOn;
      throw error;
    }
  }

  async finish(): Promise<void> {
    this.stream.end();
    await this.passedOn;
  }

  private async passOn(sink: Sink): Promise<void> {
    for await (const bytes of this.stream) await sink(bytes);
  }
}
