import fc from 'fast-check';
import { assertLayout, layoutOf, runKeys, runOfManifestKey } from './layout';

const RUN = '0198c0de-0000-7000-8000-000000000001';

describe('layout', () => {
  it('gives every object of a run its key', () => {
    const keys = runKeys(layoutOf('users', 'gzip'), { id: '58g9gnu3b5', date: '2026-01-02', run: RUN });
    expect(keys.folder).toBe('data/export-id=58g9gnu3b5/date=2026-01-02/users/');
    expect(keys.file(0)).toBe(`data/export-id=58g9gnu3b5/date=2026-01-02/users/${RUN}-000000.json.gz`);
    expect(keys.file(123456)).toBe(`data/export-id=58g9gnu3b5/date=2026-01-02/users/${RUN}-123456.json.gz`);
    expect(keys.manifest).toBe(`data/export-id=58g9gnu3b5/date=2026-01-02/users/_manifest-${RUN}.json`);
    expect(keys.success).toBe('data/export-id=58g9gnu3b5/date=2026-01-02/users/_SUCCESS');
    expect(keys.file(7).startsWith(keys.filePrefix)).toBe(true);
    expect(runOfManifestKey(keys.manifest)).toBe(RUN);
    expect(runOfManifestKey(keys.file(0))).toBeUndefined();
  });

  it('confines every value', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (id, date, run) => {
        let key;
        try {
          key = runKeys(layoutOf('users', 'gzip'), { id, date, run }).file(1);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_layout_value' });
          return;
        }
        expect(key).toBe(`data/export-id=${id}/date=${date}/users/${run}-000001.json.gz`);
        expect(key.split('/')).toHaveLength(5);
      }),
    );
  });

  it.each(['..', '.', '', 'a/b', 'a\\b', '../x', 'a\n', 'ä', ' a', '-a', '.a', 'a'.repeat(129)])(
    'refuses the value %j',
    (id) => {
      expect(() => runKeys(layoutOf('users', 'gzip'), { id, date: '2026-01-02', run: RUN })).toThrow(
        'The value of {id}',
      );
    },
  );

  it.each([
    '{run}-{n}.json',
    'data/{n}-{run}.json',
    'data/{run}.json',
    'data/../{run}-{n}.json',
    '/data/{run}-{n}.json',
    'data//{run}-{n}.json',
    'data/{run}/{run}-{n}.json',
    'data/{user}/{run}-{n}.json',
    'data/{id/{run}-{n}.json',
    'da ta/{run}-{n}.json',
    'data/{run}-{n}.{id}',
  ])('refuses the template %j', (template) => {
    expect(() => assertLayout(template)).toThrow('Not a layout');
  });

  it('gives no two files of one or two runs the same key', () => {
    const values = fc.record({ run: fc.uuid(), number: fc.nat({ max: 999_999 }) });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const key = ({ run, number }: typeof a) =>
          runKeys(layoutOf('users', 'gzip'), { id: 'i', date: '2026-01-02', run }).file(number);
        expect(key(a) === key(b)).toBe(a.run === b.run && a.number === b.number);
      }),
    );
  });

  it('does not count further than its names sort', () => {
    const keys = runKeys(layoutOf('users', 'gzip'), { id: 'i', date: '2026-01-02', run: RUN });
    expect(() => keys.file(1_000_000)).toThrow('1000000 files at most');
  });
});
