import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { testDatabase, waitFor, type TestDatabase } from '@delivery/platform/testing';
import {
  Database,
  DatabaseError,
  literal,
  pendingMigrations,
  requireMigrations,
  runMigrations,
  type MigrationClass,
  type Transaction,
} from './index';

class Samples1700000000001 {
  name = 'Samples1700000000001';
  async up(runner: { query(text: string): Promise<unknown> }) {
    await runner.query('CREATE TABLE sample (id int PRIMARY KEY, text text NOT NULL)');
    await runner.query('GRANT SELECT ON sample TO delivery_exporter');
  }
  async down() {}
}

const migrations = [Samples1700000000001];

describe('database', () => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await testDatabase({ migrations });
    database = test.database;
  });

  beforeEach(() => database.query('TRUNCATE sample'));

  afterAll(() => test.close());

  const texts = async () =>
    (await database.query<{ text: string }>('SELECT text FROM sample ORDER BY id')).map((r) => r.text);
  const insert = (tx: Transaction, id: number, text: string) =>
    tx.query('INSERT INTO sample VALUES ($1, $2)', [id, text]);

  async function failure(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => 'succeeded',
      (error: unknown) => error,
    );
  }

  /** Asserts that every connection of the pool still works and is outside any transaction. */
  async function expectHealthyPool(of = database): Promise<void> {
    for (let i = 0; i < 12; i += 1) await expect(of.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    expect(of.pool.idleCount).toBe(of.pool.totalCount);
    const open = await of.query(
      `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    expect(open).toEqual([]);
  }

  it('commits what it resolves with and rolls back what throws', async () => {
    await expect(
      database.transaction(async (tx) => {
        await insert(tx, 1, 'kept');
        return 'result';
      }),
    ).resolves.toBe('result');
    const refused = failure(
      database.transaction(async (tx) => {
        await insert(tx, 2, 'dropped');
        throw new TypeError('own');
      }),
    );
    await expect(refused).resolves.toEqual(new TypeError('own'));
    await expect(texts()).resolves.toEqual(['kept']);
    await expectHealthyPool();
  });

  it('does not report a commit when a swallowed failure made Postgres roll back', async () => {
    const result = await failure(
      database.transaction(async (tx) => {
        await insert(tx, 1, 'lost');
        await tx.query('SELECT 1/0').catch(() => undefined);
      }),
    );
    expect(result).toMatchObject({ code: 'failed', message: expect.stringContaining('the transaction had failed') });
    await expect(texts()).resolves.toEqual([]);
  });

  it.each([
    ['refused_value', 'SELECT 1/0', '22012', false],
    ['refused_value', `INSERT INTO sample VALUES (1, NULL)`, '23502', false],
    ['refused_value', `SELECT E'\\\\000'::bytea::text || convert_from('\\x00', 'utf8')`, '22021', false],
    [
      'refused_value',
      `CREATE TEMP TABLE long (v text PRIMARY KEY) ON COMMIT DROP;
       INSERT INTO long SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) n`,
      '54000',
      false,
    ],
    ['permission_denied', 'SET LOCAL ROLE delivery_exporter; INSERT INTO sample VALUES (1, $$x$$)', '42501', false],
    ['timeout', 'SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)', '57014', true],
    ['failed', 'SELECT nothing', '42703', false],
  ])('maps to %s: %s', async (code, text, sqlState, retryable) => {
    let inside: unknown;
    const outside = await failure(
      database.transaction((tx) => tx.query(text).catch((error: unknown) => Promise.reject((inside = error)))),
    );
    expect(outside).toMatchObject({ code, sqlState, retryable });
    expect(inside).toBe(outside);
  });

  it('repeats both sides of a deadlock until each is through', async () => {
    await database.query(`INSERT INTO sample VALUES (1, ''), (2, '')`);
    let attempts = 0;
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const lockBoth = (first: 1 | 2, second: 1 | 2) =>
      database.transaction(async (tx) => {
        attempts += 1;
        await tx.query(`UPDATE sample SET text = text || 'x' WHERE id = $1`, [first]);
        held[first - 1]?.resolve();
        await Promise.all(held.map(({ promise }) => promise)); // neither asks for the other's row before both hold one
        await tx.query(`UPDATE sample SET text = text || 'x' WHERE id = $1`, [second]);
      });
    await Promise.all([lockBoth(1, 2), lockBoth(2, 1)]);
    expect(attempts).toBe(3);
    await expect(texts()).resolves.toEqual(['xx', 'xx']);
  });

  it('gives up after the allowed repetitions of a conflict', async () => {
    let attempts = 0;
    const result = await failure(
      database.transaction(
        async (tx) => {
          attempts += 1;
          await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
        },
        { retries: 2 },
      ),
    );
    expect(result).toMatchObject({ code: 'conflict', retryable: true });
    expect(attempts).toBe(3);
  });

  it('runs entity work and plain SQL in the same transaction', async () => {
    const result = await failure(
      database.entityTransaction(async (manager, sql) => {
        await manager.query(`INSERT INTO sample VALUES (1, 'entity')`);
        await expect(sql.query(`UPDATE sample SET text = 'sql' WHERE id = 1 RETURNING text`)).resolves.toEqual([
          { text: 'sql' },
        ]);
        throw new Error('undo');
      }),
    );
    expect(result).toEqual(new Error('undo'));
    await expect(texts()).resolves.toEqual([]);
    await database.entityTransaction((_, sql) => sql.query(`INSERT INTO sample VALUES (1, 'kept')`));
    await expect(texts()).resolves.toEqual(['kept']);
  });

  describe('copy', () => {
    const line = (id: number, text = 'x'.repeat(1000)) => `${id}\t${text}\n`;
    const copyIn = 'COPY sample FROM STDIN';

    it('writes chunks in order and counts the rows', async () => {
      const chunks = Array.from({ length: 5000 }, (_, i) => line(i));
      await expect(database.transaction((tx) => tx.copyIn(copyIn, chunks))).resolves.toBe(5000);
      await expect(database.query('SELECT count(*)::int AS n, max(id) AS last FROM sample')).resolves.toEqual([
        { n: 5000, last: 4999 },
      ]);
    });

    it('leaves a usable connection when the chunks fail half-way', async () => {
      async function* failing() {
        for (let i = 0; i < 2000; i += 1) yield line(i);
        throw new RangeError('no more');
      }
      const after = await database.transaction(async (tx) => {
        await tx.query('SAVEPOINT before');
        const error = await failure(tx.copyIn(copyIn, failing()));
        await tx.query('ROLLBACK TO before');
        await insert(tx, 1, 'after');
        return error;
      });
      expect(after).toMatchObject({ message: expect.stringContaining('no more') });
      await expect(texts()).resolves.toEqual(['after']);
      await expectHealthyPool();
    });

    it('reports a row that Postgres refuses, in the middle of many', async () => {
      const chunks = Array.from({ length: 3000 }, (_, i) => line(i === 1500 ? 7 : i));
      const error = await failure(database.transaction((tx) => tx.copyIn(copyIn, chunks)));
      expect(error).toMatchObject({ code: 'refused_value', sqlState: '23505' });
      await expectHealthyPool();
    });

    it('streams out with backpressure, byte for byte', async () => {
      await database.query(`INSERT INTO sample SELECT i, repeat('é', 500) || i FROM generate_series(1, 20000) i`);
      let buffered = 0;
      let bytes = 0;
      await database.transaction(async (tx) => {
        const out = tx.copyOut('COPY (SELECT text FROM sample ORDER BY id) TO STDOUT');
        for await (const chunk of out) {
          bytes += chunk.length;
          buffered = Math.max(buffered, out.readableLength);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      const digits = Array.from({ length: 20000 }, (_, i) => String(i + 1).length).reduce((a, b) => a + b);
      expect(bytes).toBe(20000 * (1000 + 1) + digits);
      expect(buffered).toBeLessThan(1 << 20);
      await expectHealthyPool();
    });

    it('throws the connection away when a copy is left before its end, at once and without waiting for the rest', async () => {
      const endless = 'COPY (SELECT repeat($$x$$, 1000) FROM generate_series(1, 3000000)) TO STDOUT';
      const error = await failure(
        database.transaction(async (tx) => {
          for await (const _ of tx.copyOut(endless)) throw new Error('enough');
        }),
      );
      expect(error).toEqual(new Error('enough'));
      const running = () =>
        database.query(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT repeat%'  AND state = 'active'`);
      await waitFor(async () => (await running()).length === 0, { describe: 'Postgres to stop the copy' });
      await expectHealthyPool();
    });

    it('cancels through an AbortSignal like a consumer that fails', async () => {
      const abort = new AbortController();
      const endless = 'COPY (SELECT repeat($$y$$, 1000) FROM generate_series(1, 3000000)) TO STDOUT';
      const work = failure(
        database.transaction((tx) =>
          pipeline(
            tx.copyOut(endless),
            async (source: AsyncIterable<Buffer>) => {
              for await (const _ of source) abort.abort();
            },
            { signal: abort.signal },
          ),
        ),
      );
      await expect(work).resolves.toMatchObject({ name: 'AbortError' });
      await expectHealthyPool();
    });

    it('keeps the connection when Postgres refuses the copy', async () => {
      const before = database.pool.totalCount;
      const error = await failure(
        database.transaction((tx) => pipeline(tx.copyOut('COPY (SELECT 1/0) TO STDOUT'), discard)),
      );
      expect(error).toBeInstanceOf(DatabaseError);
      expect(error).toMatchObject({ code: 'refused_value', sqlState: '22012' });
      expect(database.pool.totalCount).toBe(before);
      await expectHealthyPool();
    });

    it('takes any text as a literal', async () => {
      for (const text of [`it's`, 'back\\slash', `'; DROP TABLE sample; --`, '$1', 'é\n\t', '']) {
        await expect(database.query(`SELECT ${literal(text)} AS text`)).resolves.toEqual([{ text }]);
      }
    });
  });

  it('reports a killed connection as unavailable and goes on with another', async () => {
    const error = await failure(
      database.transaction(async (tx) => {
        const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await database.query('SELECT pg_terminate_backend($1)', [own?.pid]);
        await tx.query('SELECT 1');
      }),
    );
    expect(error).toMatchObject({ code: 'unavailable', retryable: true });
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await waitFor(() => expectHealthyPool().then(() => true), { describe: 'a pool without the dead connections' });
  });

  it('gives up a connection that went silent, and goes on with another', async () => {
    const { hostname, port } = new URL(test.config.url);
    let forgotten = false;
    const firewall = createServer((client) => {
      const server = connect(Number(port), hostname);
      client.on('data', (bytes) => forgotten || server.write(bytes));
      server.on('data', (bytes) => forgotten || client.write(bytes));
      client.on('error', () => undefined).on('close', () => server.destroy());
    }).listen(0, '127.0.0.1');
    await once(firewall, 'listening');
    const through = new URL(test.config.url);
    through.port = String((firewall.address() as AddressInfo).port);
    const config = { ...test.config, url: through.href, statementTimeoutMs: 1000 };
    const behind = await new Database(config, { applicationName: 'behind a firewall' }).open();
    await behind.query('SELECT 1');
    forgotten = true;
    const lost = await Promise.all([
      failure(behind.query('SELECT 1')),
      failure(behind.transaction((tx) => tx.query('SELECT 1'))),
      failure(behind.entityTransaction((manager) => manager.query('SELECT 1'))),
    ]);
    expect(lost).toMatchObject(lost.map(() => ({ code: 'unavailable', retryable: true })));
    forgotten = false;
    await expectHealthyPool(behind);
    await behind.close();
    firewall.close();
  }, 30_000);

  it('lets a statement without a limit take its time', async () => {
    const config = { ...test.config, statementTimeoutMs: 1000 };
    const patient = await new Database(config, { applicationName: 'patient' }).open();
    const slow = patient.transaction((tx) => tx.query('SELECT 1 AS one FROM pg_sleep(7)'), { statementTimeoutMs: 0 });
    await expect(slow).resolves.toEqual([{ one: 1 }]);
    await expectHealthyPool(patient);
    await patient.close();
  }, 30_000);

  it('ends a connection that idles inside a transaction', async () => {
    const error = await failure(
      database.transaction(
        async (tx) => {
          await once(tx.client, 'error');
          await tx.query('SELECT 1');
        },
        { idleTimeoutMs: 50 },
      ),
    );
    expect(error).toMatchObject({ retryable: true });
    await expectHealthyPool();
  });

  it('works as the configured role', async () => {
    const exporter = await new Database(
      { ...test.config, role: 'delivery_exporter' },
      { applicationName: 'as-role' },
    ).open();
    await expect(exporter.query('SELECT current_user AS who')).resolves.toEqual([{ who: 'delivery_exporter' }]);
    await expect(exporter.query('SELECT * FROM sample')).resolves.toEqual([]);
    await expect(failure(exporter.query('DELETE FROM sample'))).resolves.toMatchObject({ code: 'permission_denied' });
    await exporter.close();
  });

  it.each<[string, string, (url: URL) => void]>([
    ['a wrong password', 'DATABASE_URL', (url) => (url.password = 'wrong')],
    ['a database that is not there', 'create the database', (url) => (url.pathname = '/nowhere')],
  ])('tells what to change: %s', async (_, advice, change) => {
    const url = new URL(test.config.url);
    change(url);
    const wrong = new Database({ ...test.config, url: url.href }, { applicationName: 'wrong' });
    await expect(failure(wrong.open())).resolves.toMatchObject({
      retryable: false,
      message: expect.stringContaining(advice),
    });
  });

  it('tells what to run when its role was never made', async () => {
    const early = new Database({ ...test.config, role: 'delivery_nobody' }, { applicationName: 'early' });
    await expect(failure(early.open())).resolves.toMatchObject({ message: expect.stringContaining('npm run migrate') });
  });

  describe('an address where nothing useful answers', () => {
    let silent: Server;
    beforeAll(async () => {
      silent = createServer((socket) => socket.on('data', () => socket.destroy())).listen(0, '127.0.0.1');
      await once(silent, 'listening');
    });
    afterAll(() => silent.close());

    it.each(['refused', 'reset'])('is unavailable: %s', async (kind) => {
      const address = silent.address();
      const port = kind === 'refused' ? 1 : typeof address === 'object' ? address?.port : 0;
      const lost = new Database(
        { ...test.config, url: `postgres://u:p@127.0.0.1:${port}/x` },
        { applicationName: 'lost' },
      );
      await expect(failure(lost.open())).resolves.toMatchObject({ code: 'unavailable', retryable: true });
    });

    it('is named when it speaks no TLS', async () => {
      const plain = new Database({ ...test.config, ssl: true }, { applicationName: 'tls' });
      await expect(failure(plain.open())).resolves.toMatchObject({ message: expect.stringContaining('DATABASE_SSL') });
    });
  });
});

async function discard(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of source) void chunk;
}

describe('migrations', () => {
  class Second1700000000003 {
    name = 'Second1700000000003';
    async up(runner: { query(text: string): Promise<unknown> }) {
      await runner.query('CREATE TABLE second (id int)');
      await runner.query('INSERT INTO second SELECT id FROM sample');
      if (Second1700000000003.fails) throw new Error('interrupted');
    }
    async down() {}
    static fails = true;
  }
  const all: MigrationClass[] = [Second1700000000003, Samples1700000000001];
  let test: TestDatabase;

  beforeEach(async () => {
    test = await testDatabase({ migrations: [] });
    Second1700000000003.fails = true;
  });
  afterEach(() => test.close());

  it('continues where it was interrupted, each migration whole or not at all', async () => {
    await expect(pendingMigrations(test.database, all)).resolves.toEqual([
      Samples1700000000001.name,
      Second1700000000003.name,
    ]);
    await expect(runMigrations(test.config, all)).rejects.toThrow('interrupted');
    await expect(pendingMigrations(test.database, all)).resolves.toEqual([Second1700000000003.name]);
    await expect(test.database.query(`SELECT to_regclass('second') AS found`)).resolves.toEqual([{ found: null }]);
    Second1700000000003.fails = false;
    await expect(runMigrations(test.config, all)).resolves.toEqual([Second1700000000003.name]);
    await expect(runMigrations(test.config, all)).resolves.toEqual([]);
  });

  it('runs once when started many times at once', async () => {
    Second1700000000003.fails = false;
    const lines: string[] = [];
    const done = await Promise.all(
      Array.from({ length: 4 }, () => runMigrations(test.config, all, (line) => lines.push(line))),
    );
    expect(done.flat().sort()).toEqual([Samples1700000000001.name, Second1700000000003.name].sort());
    expect(lines.filter((line) => line.startsWith('applying'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('waiting'))).not.toHaveLength(0);
  });

  it('lets a service see, in any role, whether all it needs was applied', async () => {
    const app = { ...test.config, role: 'delivery_exporter' };
    const database = await new Database(app, { applicationName: 'early' }).open();
    await expect(requireMigrations(database, all)).rejects.toMatchObject({
      code: 'not_migrated',
      message: expect.stringMatching(/Samples1700000000001 and 1 more.*npm run migrate/),
    });
    Second1700000000003.fails = false;
    await runMigrations(test.config, all);
    await expect(requireMigrations(database, [Samples1700000000001])).resolves.toBeUndefined();
    await test.database.query('REVOKE SELECT ON schema_migration FROM delivery_exporter');
    await expect(requireMigrations(database, all)).rejects.toMatchObject({ code: 'not_migrated' });
    await database.close();
  });

  it('refuses names that do not order', async () => {
    class Unordered {
      name = 'Unordered';
      async up() {}
      async down() {}
    }
    await expect(runMigrations(test.config, [Unordered])).rejects.toThrow('thirteen digits');
    await expect(runMigrations(test.config, [Samples1700000000001, Samples1700000000001])).rejects.toThrow(
      'Two migrations',
    );
  });
});
