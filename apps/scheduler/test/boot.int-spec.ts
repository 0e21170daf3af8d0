import { topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { runChanged, runRequestedTopics, topicSpecs } from '@delivery/exports/schema';
import { DEFAULT_SPEC } from '@delivery/exports/domain';
import { migrations as exportMigrations, RunLogReadModel, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import { bootService, type RunningService } from '@delivery/platform/service';
import {
  stackEnvironment,
  testDatabase,
  testKafka,
  waitFor,
  type TestDatabase,
  type TestKafka,
} from '@delivery/platform/testing';
import { definition } from '../app.module';
import { CollectedMessages } from './collect-messages';

const NUDGES = runRequestedTopics.s3;

describe('scheduler', () => {
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
    kafka = await testKafka([...consentTopics(1), ...topicSpecs(1), ...analyticsTopics(1)]);
  });
  afterAll(async () => {
    await kafka.close();
    await database.close();
  });

  const boot = (env: Record<string, string> = {}): Promise<RunningService> =>
    bootService(definition, {
      ...stackEnvironment(),
      DATABASE_URL: database.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      SCHEDULER_TICK_SECONDS: '1',
      ...env,
    });

  it('boots, answers its probes, and stops', async () => {
    const service = await boot();
    await waitFor(async () => (await fetch(`${service.url}/health/ready`)).status === 200, { describe: 'readiness' });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    await waitFor(
      async () => {
        const metrics = await (await fetch(`${service.url}/metrics`)).text();
        const tasks = ['plan', 'leases', 'nudges', 'announcements', 'reports', 'partitions'];
        return tasks.every((task) => metrics.includes(`scheduler_tasks_ended_total{task="${task}",outcome="ok"}`));
      },
      { describe: 'every task to succeed' },
    );
    await service.stop();
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });

  it('does not start on a database that was not migrated, and says what to run', async () => {
    const empty = await testDatabase({ migrations: ingestMigrations });
    const env = { ...stackEnvironment(), DATABASE_URL: empty.config.url };
    await expect(bootService(definition, env)).rejects.toThrow('npm run migrate');
    await empty.close();
  });

  it('turns unready while a task does not succeed, tells which and why, and recovers', async () => {
    const service = await boot({ SCHEDULER_STALLED_SECONDS: '2' });
    const ready = async () => {
      const answer = await fetch(`${service.url}/health/ready`);
      return `${answer.status} ${await answer.text()}`;
    };
    try {
      await waitFor(async () => (await ready()).startsWith('200'), { describe: 'readiness' });
      await database.database.query('ALTER TABLE export_schedule RENAME TO away');
      await waitFor(async () => /^503 .*Task plan has not been done for \d+ s: .*export_schedule/.test(await ready()), {
        describe: 'unreadiness',
      });
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
      await database.database.query('ALTER TABLE away RENAME TO export_schedule');
      await waitFor(async () => (await ready()).startsWith('200'), { describe: 'readiness again' });
    } finally {
      await service.stop();
    }
  });

  it('plans what is due once, although there are two of it, and tells exporters and everybody', async () => {
    const db = database.database;
    const key = { organizationId: 'acme', integrationId: 'int1' };
    const schedule = { ...key, destinationKind: 's3' as const, content: 'consent-users', frequencyDays: 1 };
    await new ScheduleStore().create(db, { ...schedule, spec: DEFAULT_SPEC });
    await db.query(`UPDATE export_schedule SET anchor_at = anchor_at - interval '25 hours',
      next_due_at = next_due_at - interval '25 hours'`);
    const seen = await new CollectedMessages(kafka.connection, [NUDGES, runChanged.name]).start();
    const services = [await boot(), await boot()];
    const logs = new RunLogReadModel();
    const page = () => logs.page(db, { organizationId: 'acme', limit: 10, skip: 0 });
    const changes = () => seen.of(runChanged.name).map(({ value }) => runChanged.decode(value ?? Buffer.alloc(0)));
    try {
      await waitFor(() => seen.of(NUDGES).length > 0, { describe: 'a nudge' });
      const [run] = (await page()).data;
      const nudge: unknown = JSON.parse(String(seen.of(NUDGES)[0]?.value));
      expect(nudge).toEqual({ organization_id: 'acme', run_id: run?.id });
      await waitFor(() => changes().length > 0, { describe: 'an announcement' });
      expect(changes()[0]).toMatchObject({ run_id: run?.id, status: 'pending', change: 1, trigger: 'schedule' });

      // An exporter claims it and disappears.
      await db.query(`UPDATE export_run SET status = 'running', attempt = 1, tries = 1, changes = changes + 1,
        lease_until = delivery_now() - interval '1 second'`);
      await waitFor(() => changes().some(({ status }) => status === 'retrying'), { describe: 'the expired lease' });
      await waitFor(() => seen.of(NUDGES).length > 1, { describe: 'the nudge for the retry' });
      expect((await page()).total).toBe(1);
    } finally {
      await Promise.all(services.map((service) => service.stop()));
      await seen.stop();
    }
  });
});
