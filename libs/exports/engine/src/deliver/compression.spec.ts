import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { openCompressor, ParallelGzip, type Sink } from './compression';

function collect(): { sink: Sink; bytes: () => Buffer } {
  const parts: Uint8Array[] = [];
  return { sink: async (bytes) => void parts.push(bytes), bytes: () => Buffer.concat(parts) };
}

async function gzip(blocks: readonly Uint8Array[], concurrency?: number): Promise<Buffer> {
  const { sink, bytes } = collect();
  const compressor = new ParallelGzip(sink, concurrency);
  for (const block of blocks) await compressor.write(block);
  await compressor.finish();
  return bytes();
}

describe('gzip', () => {
  it('is one ordinary member, whatever the blocks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), async (blocks) => {
        expect(gunzipSync(await gzip(blocks))).toEqual(Buffer.concat(blocks));
      }),
    );
  });

  it('is the same bytes however many blocks are compressed at once', async () => {
    const blocks = Array.from({ length: 9 }, (_, n) =>
      Buffer.from(`{"event":${n},"text":"${'abc'.repeat(40_000)}"}\n`),
    );
    const [one, four] = [await gzip(blocks, 1), await gzip(blocks, 4)];
    expect(one.equals(four)).toBe(true);
    expect(gunzipSync(one)).toEqual(Buffer.concat(blocks));
  });

  it('holds what cannot be made smaller', async () => {
    const noise = () => Buffer.from(Array.from({ length: 300_000 }, () => Math.random() * 256));
    const blocks = [noise(), noise(), noise()];
    expect(gunzipSync(await gzip(blocks, 2))).toEqual(Buffer.concat(blocks));
  });

  it('holds no more than it may while the sink is slow', async () => {
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const compressor = new ParallelGzip(() => slow, 2);
    await compressor.write(Buffer.from('a'));
    await compressor.write(Buffer.from('b'));
    let third = false;
    const writing = compressor.write(Buffer.from('c')).then(() => (third = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(third).toBe(false);
    release();
    await writing;
  });

  it('passes on what the sink refuses', async () => {
    const compressor = new ParallelGzip(() => Promise.reject(new Error('no room')), 1);
    await compressor.write(Buffer.from('a'));
    await expect(compressor.finish()).rejects.toThrow('no room');
  });
});

describe('no compression', () => {
  it('passes blocks on as they are', async () => {
    const { sink, bytes } = collect();
    const compressor = openCompressor('none', sink);
    await compressor.write(Buffer.from('{"a":1}\n'));
    await compressor.finish();
    expect(bytes().toString()).toBe('{"a":1}\n');
  });
});

describe('zstd', () => {
  const block = Buffer.from(Array.from({ length: 20_000 }, (_, n) => `{"event":${n}}\n`).join(''));
  const noise = () => Buffer.from(Array.from({ length: 256 * 1024 }, () => Math.random() * 256));

  async function zstd(blocks: readonly Uint8Array[]): Promise<Buffer> {
    const { sink, bytes } = collect();
    const compressor = openCompressor('zstd', sink);
    for (const each of blocks) await compressor.write(each);
    await compressor.finish();
    return bytes();
  }

  it('is one frame with a checksum, and the same bytes every time', async () => {
    const bytes = await zstd([block, block]);
    expect(zstdDecompressSync(bytes)).toEqual(Buffer.concat([block, block]));
    // Magic number, then the frame header's descriptor, whose third bit says that there is a checksum (RFC 8878 §3.1.1).
    expect(bytes.readUInt32LE(0)).toBe(0xfd2fb528);
    expect(bytes.readUInt8(4) & 4).toBe(4);
    expect(bytes.indexOf(bytes.subarray(0, 4), 1)).toBe(-1);
    expect((await zstd([block, block])).equals(bytes)).toBe(true);
  });

  it('of nothing is an empty frame', async () => {
    expect(zstdDecompressSync(await zstd([])).length).toBe(0);
  });

  it('passes on what the sink refuses, to whoever writes next', async () => {
    const compressor = openCompressor('zstd', () => Promise.reject(new Error('no room')));
    const writing = (async () => {
      for (let n = 0; n < 100; n += 1) await compressor.write(noise());
    })();
    await expect(writing).rejects.toThrow('no room');
  });

  it('waits for a slow sink', async () => {
    let given = 0;
    let written = 0;
    const compressor = openCompressor('zstd', (bytes) => {
      given += bytes.length;
      return new Promise(() => undefined);
    });
    void (async () => {
      for (;;) {
        await compressor.write(noise());
        written += 1;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThanOrEqual(128 * 1024);
    expect(written).toBeLessThan(8);
  });
});
