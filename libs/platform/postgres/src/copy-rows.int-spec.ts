import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { CopyRows } from './copy-rows';
import type { Database } from './database';

describe('CopyRows', () => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await testDatabase({ migrations: [] });
    database = test.database;
    await database.query(`CREATE TABLE sample (id int4 PRIMARY KEY, small int2, big int8, flag bool, at timestamptz, day date,
      words text)`);
  });

  afterAll(() => test.close());

  const copy = (pieces: Iterable<Buffer>) =>
    database.transaction((tx) => tx.copyIn('COPY sample FROM STDIN WITH (FORMAT binary)', pieces));

  it('brings every type unharmed, in any number of pieces', async () => {
    const at = Date.parse('1969-12-31T23:59:59.999Z');
    const long = 'ü€😀\\"\n'.repeat(200_000);
    const rows = new CopyRows();
    rows
      .row(7)
      .int4(-1)
      .int2(-32768)
      .int8(-(2n ** 63n))
      .bool(false)
      .timestamptz(at)
      .date(at)
      .text('');
    const first = rows.take();
    rows
      .row(7)
      .int4(2)
      .int2(7)
      .int8(2n ** 53n + 1n)
      .bool(true)
      .timestamptz(at + 1)
      .date(at + 1)
      .text(long);
    rows.row(7).int4(3).null().null().null().null().null().null();
    await expect(copy([first, rows.end()])).resolves.toBe(3);
    const found = await database.query(
      `SELECT id, small, big::text, flag, at, day::text, words FROM sample ORDER BY id`,
    );
    expect(found).toEqual([
      {
        id: -1,
        small: -32768,
        big: '-9223372036854775808',
        flag: false,
        at: new Date(at),
        day: '1969-12-31',
        words: '',
      },
      { id: 2, small: 7, big: '9007199254740993', flag: true, at: new Date(at + 1), day: '1970-01-01', words: long },
      { id: 3, small: null, big: null, flag: null, at: null, day: null, words: null },
    ]);
  });

  it('writes nothing when Postgres refuses a value', async () => {
    const before = await database.query('SELECT count(*) FROM sample');
    const rows = new CopyRows();
    rows.row(7).int4(4).null().null().null().null().null().text('fine');
    rows.row(7).int4(5).null().null().null().null().null().text('a\0b');
    await expect(copy([rows.end()])).rejects.toMatchObject({ code: 'refused_value', sqlState: '22021' });
    await expect(database.query('SELECT count(*) FROM sample')).resolves.toEqual(before);
  });
});
