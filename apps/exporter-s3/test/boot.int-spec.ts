import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { topicSpecs } from '@delivery/exports/schema';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { DEFAULT_SPEC, makeWindow } from '@delivery/exports/domain';
import { migrations as exportMigrations, RunStore, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import { bootService } from '@delivery/platform/service';
import {
  stackEnvironment,
  testDatabase,
  testKafka,
  waitFor,
  type TestDatabase,
  type TestKafka,
} from '@delivery/platform/testing';
import { definition } from '../app.module';

describe('exporter-s3', () => {
  let database: TestDatabase;
  let kafka: TestKafka;

  beforeAll(async () => {
    database = await testDatabase({
      migrations: [
        ...ingestMigrations,
        ...consentMigrations,
        ...exportMigrations,
        ...integrationsMigrations,
        ...analyticsMigrations,
      ],
    });
    kafka = await testKafka(topicSpecs(1));
  });
  afterAll(async () => {
    await kafka.close();
    await database.close();
  });

  it('turns unready while a run lies that it could claim, and says so', async () => {
    const service = await bootService(definition, {
      ...stackEnvironment(),
      DATABASE_URL: database.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      // It looks once at its start, and then nobody tells it of the run.
      EXPORT_POLL_SECONDS: '3600',
      EXPORT_UNCLAIMED_SECONDS: '1',
    });
    const ready = async () => fetch(`${service.url}/health/ready`);
    await waitFor(async () => (await ready()).status === 200, { describe: 'readiness' });
    const key = { organizationId: 'acme', integrationId: 'i1' };
    const what = { ...key, destinationKind: 's3' as const, content: 'consent-users', spec: DEFAULT_SPEC };
    await new ScheduleStore().create(database.database, { ...what, frequencyDays: 1 });
    const [now, window] = [new Date(), makeWindow({}, {})];
    const planned = { trigger: 'manual' as const, dueAt: now, dueTimes: [now], date: '2026-01-01', window };
    const run = { ...what, ...planned, id: 'lies', sequence: 1, windowFromAt: undefined, windowToAt: now };
    await new RunStore().insert(database.database, { ...run, completeUntil: undefined });
    await waitFor(async () => (await ready()).status === 503, { describe: 'unreadiness' });
    expect(await (await ready()).json()).toMatchObject({
      checks: {
        database: { status: 'ok' },
        runs: { status: 'failing', reason: expect.stringContaining('Run lies could') },
      },
    });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    await new RunStore().cancel(database.database, { organizationId: 'acme', id: 'lies' });
    await waitFor(async () => (await ready()).status === 200, { describe: 'readiness again' });
    await service.stop();
  });

  it('boots, answers its probes, and stops', async () => {
    const env = {
      ...stackEnvironment(),
      DATABASE_URL: database.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
    };
    const service = await bootService(definition, env);
    await waitFor(async () => (await fetch(`${service.url}/health/ready`)).status === 200, { describe: 'readiness' });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('export_runs_executing 0');
    await service.stop();
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });
});
