import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { DestinationReader } from '@delivery/destinations/driver';
import type { FoundFile } from '@delivery/exports/domain';

const NEWLINE = 0x0a;

/** What was found in a data file, and what is wrong with it whatever the manifest says. */
export interface ReadFile {
  readonly found: FoundFile | undefined;
  readonly faults: string[];
}

/** Reads a file once, to its end, in constant memory. */
export async function readDataFile(reader: DestinationReader, key: string, signal: AbortSignal): Promise<ReadFile> {
  const source = await reader.read(key, signal);
  if (source === undefined) return { found: undefined, faults: [] };
  const hash = createHash('sha256');
  const content = contentOf(key);
  let bytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    bytes += chunk.length;
    await content.add(chunk);
  }
  const faults = await content.finish();
  return { found: { bytes, rows: content.rows, sha256: hash.digest('hex') }, faults };
}

function contentOf(key: string): PackedLines | LineCounter {
  if (key.endsWith('.gz')) return new PackedLines('gzip', createGunzip());
  return key.endsWith('.zst') ? new PackedLines('zstd', createZstdDecompress()) : new LineCounter();
}

class LineCounter {
  rows = 0;
  private last = NEWLINE;

  add(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) this.rows += 1;
    this.last = chunk.at(-1) ?? this.last;
  }

  finish(): string[] {
    return this.last === NEWLINE ? [] : ['ends in the middle of a line'];
  }
}

/** Counts lines of what is compressed. What cannot be unpacked any more is only told at the end: the rest still has to be hashed. */
class PackedLines {
  private readonly lines = new LineCounter();
  private broken: Error | undefined;
  /** Ends the wait for the chunk in hand. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly name: string,
    private readonly unpacked: Transform,
  ) {
    this.unpacked.on('data', (chunk: Uint8Array) => this.lines.add(chunk));
    this.unpacked.on('error', (error) => {
      this.broken = error;
      this.wake(); // a chunk that cannot be unpacked is never called back
    });
  }

  get rows(): number {
    return this.lines.rows;
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.broken !== undefined) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      this.unpacked.write(chunk, () => resolve());
    });
  }

  async finish(): Promise<string[]> {
    this.unpacked.end();
    await finished(this.unpacked).catch((error: Error) => (this.broken ??= error));
    return this.broken === undefined ? this.lines.finish() : [`is not whole ${this.name} (${this.broken.message})`];
  }
}
