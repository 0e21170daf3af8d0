import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { arrays } from './array-parameters';

describe('arrays as parameters', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testDatabase({ migrations: [] });
  });
  afterAll(() => test.close());

  it('arrive as they are, whatever they hold', async () => {
    const at = Date.parse('1969-12-31T23:59:59.999Z');
    const late = Date.parse('9999-12-31T23:59:59.999Z');
    const words = ['', 'ü€😀\\"\n{},NULL'.repeat(1000), 'null', null];
    const rows = await test.database.query(
      `SELECT words, flag, small, id, big::text, day::text, extract(epoch FROM at)::text AS at
       FROM unnest($1::text[], $2::bool[], $3::int2[], $4::int4[], $5::int8[], $6::date[], $7::timestamptz[])
         AS sample(words, flag, small, id, big, day, at)`,
      [
        arrays.text(words),
        arrays.bool([true, false, null, null]),
        arrays.int2([-32768, 32767, null, 0]),
        arrays.int4([-(2 ** 31), 2 ** 31 - 1, null, 0]),
        arrays.int8([-(2n ** 63n), 2n ** 63n - 1n, null, 0n]),
        arrays.date([at, at + 1, null, late]),
        arrays.timestamptz([at, Date.parse('2026-11-30T12:34:56.789Z'), null, late]),
      ],
    );
    const instant = (milliseconds: number) =>
      `${Math.floor(milliseconds / 1000)}.${String(((milliseconds % 1000) + 1000) % 1000).padStart(3, '0')}000`;
    expect(rows).toEqual([
      {
        words: words[0],
        flag: true,
        small: -32768,
        id: -(2 ** 31),
        big: '-9223372036854775808',
        day: '1969-12-31',
        at: '-0.001000',
      },
      {
        words: words[1],
        flag: false,
        small: 32767,
        id: 2 ** 31 - 1,
        big: '9223372036854775807',
        day: '1970-01-01',
        at: instant(Date.parse('2026-11-30T12:34:56.789Z')),
      },
      { words: words[2], flag: null, small: null, id: null, big: null, day: null, at: null },
      { words: null, flag: null, small: 0, id: 0, big: '0', day: '9999-12-31', at: instant(late) },
    ]);
  });

  it('may be empty', async () => {
    const [row] = await test.database.query(`SELECT $1::text[] AS none, cardinality($1::text[]) AS length`, [
      arrays.text([]),
    ]);
    expect(row).toEqual({ none: [], length: 0 });
  });

  it('are refused value by value, as text is', async () => {
    const asked = test.database.query(`SELECT * FROM unnest($1::text[])`, [arrays.text(['fine', 'a\0b'])]);
    await expect(asked).rejects.toMatchObject({ code: 'refused_value', sqlState: '22021' });
  });
});
