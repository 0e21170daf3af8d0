import { Section } from '@delivery/platform/config';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { testDatabase, waitFor } from '@delivery/platform/testing';
import { Module } from '@nestjs/common';
import { bootService, databaseMetrics, HttpConfig, LogConfig, provideDatabase } from './index';

class TestConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(PostgresConfig)
  postgres: PostgresConfig;
}

@Module({})
class TestModule {}

const definition = {
  name: 'pool-test',
  config: TestConfig,
  metrics: databaseMetrics,
  module: ({ postgres }: TestConfig) => ({
    module: TestModule,
    providers: [provideDatabase(postgres, { applicationName: 'pool-test', migrations: [] })],
  }),
};

it('turns unready, with the reason, when callers wait for a connection for too long', async () => {
  const test = await testDatabase({ migrations: [] });
  const env = { DATABASE_URL: test.config.url, DATABASE_POOL_SIZE: '2', DATABASE_POOL_WAIT_SECONDS: '1' };
  const service = await bootService(definition, env);
  const ready = async () => (await fetch(`${service.url}/health/ready`)).json();
  const metrics = async () => (await fetch(`${service.url}/metrics`)).text();
  const database = service.app.get(Database);
  const release = Promise.withResolvers<void>();
  const held = [1, 2].map(() => database.transaction(() => release.promise));
  const waiting = database.query('SELECT 1');
  try {
    await waitFor(async () => (await metrics()).includes('database_connections{state="waiting"} 1'), {
      describe: 'a caller to wait',
    });
    await waitFor(async () => JSON.stringify(await ready()).includes('callers that wait'), { describe: 'unreadiness' });
    await expect(ready()).resolves.toMatchObject({
      status: 'unavailable',
      checks: {
        database: { status: 'ok' },
        database_pool: {
          reason: expect.stringMatching(/^All 2 connections .* in use for \d+ s; callers that wait: 1/),
        },
      },
    });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  } finally {
    release.resolve();
  }
  await Promise.all([...held, waiting]);
  await expect(ready()).resolves.toMatchObject({ status: 'ok' });
  expect(await metrics()).toContain('database_connections_limit 2');
  await service.stop();
  await test.close();
});

it('counts the transactions that were tried again', async () => {
  const test = await testDatabase({ migrations: [] });
  const service = await bootService(definition, { DATABASE_URL: test.config.url });
  const retries = async () =>
    (await (await fetch(`${service.url}/metrics`)).text()).match(/^database_transaction_retries_total.*$/m)?.[0];
  await expect(retries()).resolves.toBe('database_transaction_retries_total 0');
  let conflicts = 0;
  await service.app.get(Database).transaction(async (tx) => {
    if (conflicts === 2) return;
    conflicts += 1;
    await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
  });
  await expect(retries()).resolves.toBe('database_transaction_retries_total 2');
  await service.stop();
  await test.close();
});
