/** Instants and days count from here in Postgres. */
const postgresEpoch = Date.UTC(2000, 0, 1);

/**
 * Values in Postgres's binary format, each after its length, as `COPY` and array parameters have them
 * (https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format"). No value is checked against its type: Postgres
 * does that.
 */
export class BinaryValues {
  protected bytes: Buffer;
  protected length = 0;

  /** @param expected - how many bytes; room is made for more. */
  constructor(private readonly expected: number) {
    this.bytes = Buffer.allocUnsafe(expected);
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
    const microseconds = (milliseconds - postgresEpoch) * 1000;
    if (!Number.isSafeInteger(microseconds)) return this.int8(BigInt(milliseconds - postgresEpoch) * 1000n);
    this.begin(8);
    this.length = this.bytes.writeInt32BE(Math.floor(microseconds / 2 ** 32), this.length);
    this.length = this.bytes.writeUInt32BE(microseconds >>> 0, this.length);
    return this;
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.allocUnsafe(this.expected);
    this.length = 0;
    return taken;
  }

  protected begin(size: number): void {
    this.reserve(4 + size);
    this.length = this.bytes.writeInt32BE(size, this.length);
  }

  protected reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.bytes.length + size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
