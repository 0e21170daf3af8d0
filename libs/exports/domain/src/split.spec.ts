import fc from 'fast-check';
import { Splitter, type SplitLimits } from './split';

/** What files a text is cut into, the slow and obvious way. */
function expectedFiles(lines: string[], { maxRows = Infinity, maxBytes = Infinity }: SplitLimits): string[] {
  const files: string[] = [];
  let file = '';
  let rows = 0;
  for (const line of lines) {
    file += `${line}\n`;
    rows += 1;
    if (rows >= maxRows || Buffer.byteLength(file) >= maxBytes) {
      files.push(file);
      file = '';
      rows = 0;
    }
  }
  return file === '' ? files : [...files, file];
}

function split(chunks: Uint8Array[], limits: SplitLimits): { text: string; rows: number }[] {
  const splitter = new Splitter(limits);
  const files: { text: string; rows: number }[] = [];
  let open: { parts: Uint8Array[]; rows: number } | undefined;
  for (const chunk of chunks) {
    for (const { bytes, rows, endsFile } of splitter.split(chunk)) {
      open ??= { parts: [], rows: 0 };
      open.parts.push(bytes);
      open.rows += rows;
      if (!endsFile) continue;
      files.push({ text: Buffer.concat(open.parts).toString(), rows: open.rows });
      open = undefined;
    }
  }
  if (open !== undefined) files.push({ text: Buffer.concat(open.parts).toString(), rows: open.rows });
  return files;
}

const line = fc.string({ maxLength: 12, unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
const limit = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined });

describe('splitting', () => {
  it('ends files at lines by rows and bytes, however the bytes are chunked', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        limit,
        limit,
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        (lines, maxRows, maxBytes, sizes) => {
          const limits = {
            ...(maxRows === undefined ? {} : { maxRows }),
            ...(maxBytes === undefined ? {} : { maxBytes }),
          };
          const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
          const chunks = [];
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const files = split(chunks, limits);
          expect(files.map(({ text }) => text)).toEqual(expectedFiles(lines, limits));
          for (const { text, rows } of files) expect(rows).toBe(text.split('\n').length - 1);
        },
      ),
    );
  });

  it('leaves everything in one file without limits', () => {
    expect(split([Buffer.from('a\nb\n'), Buffer.from('c\n')], {})).toEqual([{ text: 'a\nb\nc\n', rows: 3 }]);
  });

  it('gives no file for no bytes', () => {
    expect(split([Buffer.alloc(0)], { maxRows: 1 })).toEqual([]);
  });

  it.each([{ maxRows: 0 }, { maxBytes: -1 }, { maxRows: 1.5 }])('refuses %j', (limits) => {
    expect(() => new Splitter(limits)).toThrow('whole number from 1');
  });
});
