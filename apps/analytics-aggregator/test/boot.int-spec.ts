import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hourOf } from '@delivery/analytics/domain';
import { hoursName, interactions, interactionsTopic, topicSpecs } from '@delivery/analytics/schema';
import { consentEventsTopic, topicSpecs as consentTopics } from '@delivery/consent/schema';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { bootService, type RunningService } from '@delivery/platform/service';
import { stackEnvironment, testDatabase, testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';
import { definition } from '../app.module';
import { awayFromHourEnd, RollupWorld } from './rollup-world';

describe('analytics-aggregator', () => {
  let world: RollupWorld;
  let kafka: TestKafka;
  let folder: string;
  let service: RunningService | undefined;

  beforeAll(async () => {
    world = await RollupWorld.open(['acme']);
    await world.db.query('TRUNCATE analytics_open_hour; DELETE FROM ingest_position');
    kafka = await testKafka([...topicSpecs(2), ...consentTopics(1)]);
    folder = await mkdtemp(join(tmpdir(), 'reports-'));
  });
  afterAll(async () => {
    await kafka.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  afterEach(() => service?.stop());

  const boot = (env: Record<string, string> = {}): Promise<RunningService> =>
    bootService(definition, {
      ...stackEnvironment(),
      DATABASE_URL: world.test.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      ANALYTICS_GRACE_SECONDS: '0',
      REPORT_STORE_KIND: 'file',
      REPORT_STORE_DIR: folder,
      ...env,
    });

  it('boots, answers its probes, counts, closes hours, and stops', async () => {
    await awayFromHourEnd();
    const shown = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 's' } as const;
    service = await boot();
    const { url } = service;
    const metrics = async () => (await fetch(`${url}/metrics`)).text();
    await waitFor(async () => (await fetch(`${url}/health/ready`)).status === 200, { describe: 'readiness' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await kafka.connection.publisher().publish(interactionsTopic, [
      { key: 'a', value: interactions.encode(shown) },
      { key: 'b', value: Buffer.from('{}') },
    ]);
    const counted = () => world.rows('SELECT notice_displays FROM interaction_hourly');
    await waitFor(async () => (await counted()).join() === '1', { describe: 'the interaction to be counted' });
    await waitFor(async () => /^analytics_hours_closed_total 192$/m.test(await metrics()), { describe: 'hours' });
    const behind = /^analytics_closing_behind_seconds 0$/m;
    await waitFor(async () => behind.test(await metrics()), { describe: 'nothing to be late' });
    const outcome = 'ingest_messages_recorded_total{topic="consent.interactions.v1",outcome="rejected"} 1';
    await waitFor(async () => (await metrics()).includes(outcome), { describe: 'the rejection' });
    const position = await world.positions.find(world.db, hoursName, hoursName, 0);
    expect(position?.nextOffset).toBe(BigInt(hourOf(new Date())));
    await service.stop();
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  it('lives on while it closes a large day, and not when that never ends', async () => {
    const held = Promise.withResolvers<void>();
    const holding = world.db.transaction(async (tx) => {
      await tx.query('LOCK TABLE hourly_metric IN SHARE MODE');
      await held.promise;
    });
    await world.db.query('TRUNCATE analytics_open_hour');
    await world.db.query('DELETE FROM ingest_position WHERE consumer = $1', [hoursName]);
    service = await boot();
    const { url } = service;
    const live = async () => (await fetch(`${url}/health/live`)).status;
    const waits = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'hourly_metric'::regclass`;
    await waitFor(async () => (await world.db.query(waits)).length > 0, { describe: 'closing to take its time' });
    const now = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now');
    clock.mockImplementation(() => now() + 900_000);
    // The other tasks have not been called since the clock was moved.
    await waitFor(async () => (await live()) === 200, { describe: 'liveness' });
    clock.mockImplementation(() => now() + 7_200_000);
    await waitFor(async () => (await live()) === 503, { describe: 'the end of patience' });
    clock.mockRestore();
    held.resolve();
    await holding;
  });

  it('turns unready when an hour is over and cannot be closed, and tells what it waits for', async () => {
    await awayFromHourEnd();
    // Nobody records consents here, and by the clock of Postgres the hour in which this one arrived is over.
    await kafka.connection.publisher().publish(consentEventsTopic, [{ key: 'a', value: Buffer.from('{}') }]);
    await world.moveClock('2 hours');
    service = await boot({ ANALYTICS_LATE_SECONDS: '1', ANALYTICS_CLOSING_SECONDS: '1' });
    const { url } = service;
    const late =
      /"closing":\{[^}]*"The hour from \S+ has been over for \d+ s and is not closed: [^"]*consent\.events\.v1/;
    const unready = async () => {
      const answer = await fetch(`${url}/health/ready`);
      return answer.status === 503 && late.test(await answer.text());
    };
    await waitFor(unready, { describe: 'unreadiness' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it('does not start on a database that was not migrated, and says what to run', async () => {
    const empty = await testDatabase({ migrations: ingestMigrations });
    const env = { ...stackEnvironment(), DATABASE_URL: empty.config.url, REPORT_STORE_DIR: folder };
    await expect(bootService(definition, env)).rejects.toThrow('npm run migrate');
    await empty.close();
  });
});
