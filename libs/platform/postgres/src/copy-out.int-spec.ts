import { testDatabase, type TestDatabase } from '@delivery/platform/testing';

describe('a copy that is left before its end', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testDatabase({ migrations: [] });
  });
  afterAll(() => test.close());

  it.each([
    ['while Postgres still prepares the first row', 'SELECT pg_sleep(30)'],
    ['in the middle', `SELECT repeat('x', 1000) FROM generate_series(1, 10000000)`],
  ])(
    'gives up at once %s',
    async (_, query) => {
      const reading = test.database.transaction(async (tx) => {
        await tx.query(`SET LOCAL client_connection_check_interval = '100ms'`);
        const source = tx.copyOut(`COPY (${query}) TO STDOUT`);
        setTimeout(() => source.destroy(new Error('left')), 100);
        for await (const chunk of source) void chunk;
      });
      await expect(reading).rejects.toThrow('left');
      expect(await test.database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    },
    10_000,
  );
});
