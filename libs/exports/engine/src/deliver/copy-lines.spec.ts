import fc from 'fast-check';
import { BLOCK_BYTES, CopyLines } from './copy-lines';

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int32(0), int32(0)]);
const trailer = int16(-1);

function row(line: string, ...numbers: number[]): Buffer {
  const text = Buffer.from(line);
  const columns = numbers.map((value) => Buffer.concat([int32(4), int32(value)]));
  return Buffer.concat([int16(1 + numbers.length), int32(text.length), text, ...columns]);
}

function read(bytes: Buffer, sizes: Iterator<number>, counters: number) {
  return readAll([bytes], sizes, counters);
}

function readAll(copies: readonly Buffer[], sizes: Iterator<number>, counters: number) {
  const lines = new CopyLines(counters);
  const blocks: Buffer[] = [];
  for (const bytes of copies) {
    for (let at = 0; at < bytes.length;) {
      const size = Number(sizes.next().value ?? 1);
      for (const block of lines.push(bytes.subarray(at, at + size))) blocks.push(Buffer.from(block));
      at += size;
    }
    lines.endCopy();
  }
  blocks.push(Buffer.from(lines.finish()));
  return { blocks, text: Buffer.concat(blocks).toString(), counted: lines.counted, lines: lines.lines };
}

const line = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }).filter((text) => text.isWellFormed());
const rows = fc.array(fc.tuple(line, fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1 })));

describe('lines of a copy', () => {
  it('come out untouched and counted, however the bytes were chunked', () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (data, sizes) => {
        const bytes = Buffer.concat([
          header,
          ...data.map(([text, events, users]) => row(text, events, users)),
          trailer,
        ]);
        const { text, counted } = read(bytes, sizes, 2);
        expect(text).toBe(data.map(([each]) => `${each}\n`).join(''));
        expect(counted).toEqual([
          data.reduce((sum, [, events]) => sum + events, 0),
          data.reduce((sum, [, , users]) => sum + users, 0),
        ]);
      }),
    );
  });

  it('are cut into blocks at the same places every time', () => {
    const long = 'x'.repeat(100_000);
    const bytes = Buffer.concat([header, ...Array.from({ length: 9 }, () => row(long)), trailer]);
    const all = [1_000_000, 65_536, 8191].map((size) =>
      read(bytes, repeat(size), 0).blocks.map(({ length }) => length),
    );
    expect(all[0]).toEqual([BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 9 * 100_001 - 3 * BLOCK_BYTES]);
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });

  it('of several copies follow each other, and blocks go on across them', () => {
    const long = 'x'.repeat(200_000);
    const copies = [[row(long)], [], [row(long), row('b')]].map((rows) => Buffer.concat([header, ...rows, trailer]));
    const { blocks, text, lines } = readAll(copies, repeat(65_536), 0);
    expect(text).toBe(`${long}\n${long}\nb\n`);
    expect(lines).toBe(3);
    expect(blocks.map(({ length }) => length)).toEqual([BLOCK_BYTES, text.length - BLOCK_BYTES]);
  });

  it('of nothing are nothing', () => {
    expect(readAll([], repeat(5), 0)).toMatchObject({ text: '', lines: 0 });
    expect(read(Buffer.concat([header, trailer]), repeat(5), 2)).toMatchObject({ text: '', counted: [0, 0] });
  });

  it.each([
    ['another format', Buffer.from('{"user":1}\n{"user":2}\n'), 'not a binary copy'],
    ['a copy that ended early', Buffer.concat([header, row('a')]), 'ended early'],
    ['a copy that ended within a line', Buffer.concat([header, row('abc').subarray(0, 8)]), 'ended early'],
    ['another number of columns', Buffer.concat([header, row('a', 1), trailer]), '2 columns'],
    ['a row without a line', Buffer.concat([header, int16(1), int32(-1), trailer]), 'no line'],
    ['bytes after the end', Buffer.concat([header, trailer, row('a')]), 'after its end'],
  ])('refuse %s', (_, bytes, message) => {
    expect(() => read(bytes, repeat(7), 0)).toThrow(message);
  });
});

function* repeat(size: number): Generator<number> {
  for (;;) yield size;
}
