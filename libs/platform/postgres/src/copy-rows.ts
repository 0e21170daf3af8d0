/**
 * Rows in the binary format of `COPY ... WITH (FORMAT binary)`, which Postgres reads in two thirds of the time that it
 * takes for text (https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format"). Each row names its columns'
 * values in order: `row(3)`, then three values. No value is checked against its column: Postgres does that.
 */
export class CopyRows {
  private bytes = Buffer.allocUnsafe(startSize);
  private length = header.copy(this.bytes);

  /** Bytes that wait to be taken. */
  get size(): number {
    return this.length;
  }

  /** Begins a row of so many columns. */
  row(columns: number): this {
    this.reserve(2);
    this.length = this.bytes.writeInt16BE(columns, this.length);
    return this;
  }

  null(): this {
    this.reserve(4);
    this.length = this.bytes.writeInt32BE(-1, this.length);
    return this;
  }

  text(value: string): this {
    this.reserve(4 + value.length * 3); // UTF-8 needs three bytes for a UTF-16 code unit at most
    const written = this.bytes.write(value, this.length + 4, 'utf8');
    this.bytes.writeInt32BE(written, this.length);
    this.length += 4 + written;
    return this;
  }

  bool(value: boolean): this {
    this.begin(1);
    this.length = this.bytes.writeInt8(value ? 1 : 0, this.length);
    return this;
  }

  int2(value: number): this {
    this.begin(2);
    this.length = this.bytes.writeInt16BE(value, this.length);
    return this;
  }

  int4(value: number): this {
    this.begin(4);
    this.length = this.bytes.writeInt32BE(value, this.length);
    return this;
  }

  int8(value: bigint): this {
    this.begin(8);
    this.length = this.bytes.writeBigInt64BE(value, this.length);
    return this;
  }

  /** The UTC day of an instant in milliseconds since 1970. */
  date(milliseconds: number): this {
    return this.int4(Math.floor((milliseconds - postgresEpoch) / 86_400_000));
  }

  /** An instant in milliseconds since 1970. */
  timestamptz(milliseconds: number): this {
    return this.int8(BigInt(milliseconds - postgresEpoch) * 1000n);
  }

  /** What was written since the last time, to be sent; the last piece is `end()`. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.allocUnsafe(startSize);
    this.length = 0;
    return taken;
  }

  end(): Buffer {
    this.reserve(2);
    this.length = this.bytes.writeInt16BE(-1, this.length);
    return this.take();
  }

  private begin(size: number): void {
    this.reserve(4 + size);
    this.length = this.bytes.writeInt32BE(size, this.length);
  }

  private reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.bytes.length + size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

const startSize = 1 << 19;
/** Signature, no flags, no extension. */
const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const postgresEpoch = Date.UTC(2000, 0, 1);
