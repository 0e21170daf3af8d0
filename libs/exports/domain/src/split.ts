import { ExportFault } from './errors';

const NEWLINE = 0x0a;

/** A file ends with the line that reaches one of these; a line is never cut. */
export interface SplitLimits {
  readonly maxRows?: number;
  /** Before compression. The last line may go beyond it. */
  readonly maxBytes?: number;
}

export interface Piece {
  readonly bytes: Uint8Array;
  /** Lines that end in this piece. */
  readonly rows: number;
  /** The file is complete after this piece. */
  readonly endsFile: boolean;
}

/** @throws ExportFault `invalid_split` */
export function assertSplitLimits({ maxRows, maxBytes }: SplitLimits): void {
  for (const [name, value] of Object.entries({ maxRows, maxBytes })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new ExportFault('invalid_split', `${name} must be a whole number from 1.`);
    }
  }
}

/**
 * Cuts a stream of chunks into files at line ends, without parsing or copying: pieces are views of the chunks. Where
 * files end depends only on the bytes, not on how they were chunked.
 */
export class Splitter {
  private rows = 0;
  private bytes = 0;
  private readonly maxRows: number;
  private readonly maxBytes: number;

  constructor(limits: SplitLimits) {
    assertSplitLimits(limits);
    this.maxRows = limits.maxRows ?? Number.POSITIVE_INFINITY;
    this.maxBytes = limits.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The pieces of the next chunk, in order. Take them all before the next call. */
  *split(chunk: Uint8Array): Generator<Piece> {
    let begin = 0;
    let rowsBefore = this.rows;
    for (let end = nextLine(chunk, 0); end > 0; end = nextLine(chunk, end)) {
      this.rows += 1;
      const size = this.bytes + (end - begin);
      if (this.rows < this.maxRows && size < this.maxBytes) continue;
      yield { bytes: chunk.subarray(begin, end), rows: this.rows - rowsBefore, endsFile: true };
      begin = end;
      this.rows = 0;
      rowsBefore = 0;
      this.bytes = 0;
    }
    if (begin === chunk.length) return;
    this.bytes += chunk.length - begin;
    yield { bytes: chunk.subarray(begin), rows: this.rows - rowsBefore, endsFile: false };
  }
}

/** The index after the next newline at or after `from`; 0 when there is none. */
function nextLine(chunk: Uint8Array, from: number): number {
  return chunk.indexOf(NEWLINE, from) + 1;
}
