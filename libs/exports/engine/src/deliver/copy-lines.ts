/** `PGCOPY\n\377\r\n\0`, flags and the length of an extension that Postgres has never used. */
const HEADER_BYTES = 19;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const NEWLINE = 0x0a;

/** What is compressed as one piece of work: large enough to be worth a thread, small enough to hold several. */
export const BLOCK_BYTES = 256 * 1024;

type State = 'header' | 'columns' | 'length' | 'line' | 'counters' | 'end';

/**
 * Turns `COPY (SELECT line text, n1 int4, n2 int4, ...) TO STDOUT (FORMAT binary)`, several one after the other, into
 * blocks of lines, and adds up the numbers. The binary form, because Postgres then neither escapes nor inspects the line: it costs a third less than
 * any text form, and the bytes of a line arrive untouched.
 *
 * Blocks are all of one size but the last, wherever the chunks were cut: what is made of them is the same every time.
 */
export class CopyLines {
  readonly counted: number[];
  /** Whole lines so far. */
  lines = 0;
  private state: State = 'header';
  /** Bytes of the fixed part that is being read, gathered across chunks. */
  private readonly fixed: Buffer;
  private have = 0;
  private need = HEADER_BYTES;
  private lineLeft = 0;
  private block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private filled = 0;

  /** @param counters - how many numbers follow each line */
  constructor(private readonly counters: number) {
    this.counted = Array.from({ length: counters }, () => 0);
    this.fixed = Buffer.alloc(Math.max(HEADER_BYTES, counters * 8));
  }

  /** The blocks that this chunk fills, in order. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    while (at < chunk.length) {
      if (this.state === 'line') {
        const count = Math.min(this.lineLeft, chunk.length - at, BLOCK_BYTES - this.filled);
        this.block.set(chunk.subarray(at, at + count), this.filled);
        at += count;
        this.lineLeft -= count;
        yield* this.advance(count);
        if (this.lineLeft === 0) yield* this.endLine();
      } else {
        if (this.state === 'end') throw new TypeError('the copy goes on after its end');
        const count = Math.min(this.need - this.have, chunk.length - at);
        this.fixed.set(chunk.subarray(at, at + count), this.have);
        at += count;
        this.have += count;
        if (this.have === this.need) this.readFixed();
      }
    }
  }

  /** One copy is over; another may follow. @throws TypeError when it ended early */
  endCopy(): void {
    if (this.state !== 'end') throw new TypeError('the copy ended early');
    this.expect('header', HEADER_BYTES);
  }

  /** The rest, when all copies are over. */
  finish(): Uint8Array {
    return this.block.subarray(0, this.filled);
  }

  private *endLine(): Generator<Uint8Array> {
    this.block[this.filled] = NEWLINE;
    this.lines += 1;
    yield* this.advance(1);
    this.expect(this.counters === 0 ? 'columns' : 'counters', this.counters === 0 ? 2 : this.counters * 8);
  }

  private *advance(count: number): Generator<Uint8Array> {
    this.filled += count;
    if (this.filled < BLOCK_BYTES) return;
    const full = this.block;
    this.block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.filled = 0;
    yield full;
  }

  private readFixed(): void {
    switch (this.state) {
      case 'header':
        if (!this.fixed.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new TypeError('not a binary copy');
        return this.expect('columns', 2);
      case 'columns':
        return this.readColumns(this.fixed.readInt16BE(0));
      case 'length':
        this.lineLeft = this.fixed.readInt32BE(0);
        // An empty line would have to be counted and is nothing any content delivers.
        if (this.lineLeft <= 0) throw new TypeError('a row of the copy has no line');
        this.state = 'line';
        return;
      case 'counters':
        for (let n = 0; n < this.counters; n += 1) this.count(n);
        return this.expect('columns', 2);
      default:
        throw new TypeError(`nothing to read in state ${this.state}`);
    }
  }

  private readColumns(columns: number): void {
    if (columns === -1) {
      this.state = 'end';
      return;
    }
    if (columns !== this.counters + 1) throw new TypeError(`a row of the copy has ${columns} columns`);
    this.expect('length', 4);
  }

  private count(n: number): void {
    if (this.fixed.readInt32BE(n * 8) !== 4) throw new TypeError('a number of the copy is not an int4');
    this.counted[n] = (this.counted[n] ?? 0) + this.fixed.readInt32BE(n * 8 + 4);
  }

  private expect(state: State, bytes: number): void {
    this.state = state;
    this.need = bytes;
    this.have = 0;
  }
}
