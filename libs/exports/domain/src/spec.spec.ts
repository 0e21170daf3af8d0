import { DEFAULT_SPEC, formatSpec, parseSpec, specOf } from './spec';

describe('spec', () => {
  it('survives being stored', () => {
    const limited = { ...DEFAULT_SPEC, split: { maxRows: 10 }, includeGuests: true };
    for (const spec of [
      DEFAULT_SPEC,
      limited,
      specOf('events', 'zstd'),
      specOf('users', 'none'),
      { ...DEFAULT_SPEC, split: {} },
    ]) {
      expect(parseSpec(JSON.parse(JSON.stringify(formatSpec(spec))))).toEqual(spec);
    }
  });

  it.each([
    [{ format: 'csv' }, 'does not know the format "csv"'],
    [{ compression: 'lzma' }, 'does not know the compression "lzma"'],
    [{ encryption: 'openpgp' }, 'does not know the encryption "openpgp"'],
    [{ layout: '../{run}-{n}.json' }, 'Not a layout'],
    [{ max_rows: 0 }, 'maxRows must be a whole number from 1'],
  ])('refuses %j', (change, message) => {
    expect(() => parseSpec({ ...formatSpec(DEFAULT_SPEC), ...change })).toThrow(message);
  });
});
