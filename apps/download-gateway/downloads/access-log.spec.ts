import { setImmediate } from 'node:timers/promises';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { AccessLog } from './access-log';

/** A database whose statements end as the test says. */
class AwayDatabase extends Database {
  constructor(private readonly answer: () => Promise<never>) {
    super(new PostgresConfig(), { applicationName: 'test' });
  }

  override query(): Promise<never> {
    return this.answer();
  }
}

function logOf(answer: () => Promise<never>) {
  let dropped = 0;
  const inc = (count: number) => void (dropped += count);
  const log = new AccessLog({ database: new AwayDatabase(answer), dropped: { inc }, most: 3 });
  const end = (n: number) => log.complete({ organizationId: 'acme', id: `row ${n}`, bytes: n });
  return { log, end, dropped: () => dropped };
}

it('lets so many ends wait for the database, and counts those that cannot', async () => {
  const { end, dropped } = logOf(() => new Promise(() => undefined));
  for (let n = 0; n < 5; n += 1) end(n);
  await setImmediate();
  expect(dropped()).toBe(2);
});

it('is closed also while the database is away, and counts what it could not write', async () => {
  const { log, end, dropped } = logOf(async () => {
    throw new Error('the database is away');
  });
  end(1);
  end(2);
  await log.close();
  expect(dropped()).toBe(2);
});
