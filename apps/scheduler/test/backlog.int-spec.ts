import { interactionsTopic, topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { consentEventsTopic, consentRecorderName, topicSpecs } from '@delivery/consent/schema';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { DEFAULT_SPEC, makeWindow, newRunId } from '@delivery/exports/domain';
import { migrations as exportMigrations, RunStore, ScheduleStore } from '@delivery/exports/store';
import { topicSpecs as exportTopics } from '@delivery/exports/schema';
import { migrations as ingestMigrations, PositionStore } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import { bootService, type RunningService } from '@delivery/platform/service';
import { stackEnvironment, testDatabase, testKafka, waitFor } from '@delivery/platform/testing';
import { definition } from '../app.module';

/** What nobody else can tell: that is why these numbers are read from the database and the log, and not counted. */
describe('the gauges of the platform as a whole', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let kafka: Awaited<ReturnType<typeof testKafka>>;
  let service: RunningService;

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
    kafka = await testKafka([...topicSpecs(2), ...exportTopics(1), ...analyticsTopics(1)]);
    service = await bootService(definition, {
      ...stackEnvironment(),
      DATABASE_URL: database.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      SCHEDULER_TICK_SECONDS: '300',
      SCHEDULER_BACKLOG_SECONDS: '1',
    });
  });
  afterAll(async () => {
    await service.stop();
    await kafka.close();
    await database.close();
  });

  /** The value of one series; undefined without it. */
  async function shown(series: string): Promise<number | undefined> {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }
  const becomes = (series: string, want: (value: number) => boolean) =>
    waitFor(async () => want((await shown(series)) ?? Number.NaN), { describe: series });

  it('tell of runs that nobody claims, executes or delivers, by kind, though no exporter is there to tell', async () => {
    const db = database.database;
    const key = { organizationId: 'acme', integrationId: 'int1' };
    const schedule = { ...key, destinationKind: 's3' as const, content: 'consent-users', frequencyDays: 1 };
    await new ScheduleStore().create(db, { ...schedule, spec: DEFAULT_SPEC });
    const hourAgo = new Date(Date.now() - 3_600_000);
    const run = { ...key, id: newRunId(), sequence: 1, destinationKind: 's3' as const, content: 'consent-users' };
    await new RunStore().insert(db, {
      ...run,
      spec: DEFAULT_SPEC,
      trigger: 'schedule',
      dueAt: hourAgo,
      dueTimes: [hourAgo],
      date: '2026-01-01',
      window: makeWindow({}, {}),
      windowFromAt: undefined,
      windowToAt: hourAgo,
      completeUntil: hourAgo,
    });
    await db.query(`UPDATE export_run SET created_at = created_at - interval '30 minutes'`);
    await becomes('export_runs_open{kind="s3",status="pending"}', (runs) => runs === 1);
    await becomes('export_run_unclaimed_seconds{kind="s3"}', (age) => age >= 1800 && age < 3600);
    await becomes('export_undelivered_due_seconds{kind="s3"}', (age) => age >= 3600 && age < 7200);
    await expect(shown('export_runs_open{kind="s3",status="failed"}')).resolves.toBe(0);
    await expect(shown('export_leases_overdue')).resolves.toBe(0);
    await expect(shown('export_runs_open{kind="gcs",status="pending"}')).resolves.toBe(0);

    await db.query(
      `UPDATE export_run SET status = 'running', started_at = created_at, lease_until = now() - interval '1 s'`,
    );
    await becomes('export_leases_overdue', (leases) => leases === 1);
    await becomes('export_run_age_seconds{kind="s3",status="running"}', (age) => age >= 1800);
    await expect(shown('export_run_unclaimed_seconds{kind="s3"}')).resolves.toBe(0);

    await db.query(`UPDATE export_run SET status = 'completed', lease_until = NULL`);
    await db.query(`UPDATE export_schedule SET last_run_id = $1`, [run.id]);
    await becomes('export_lag_seconds{kind="s3"}', (lag) => lag >= 3600 && lag < 7200);
    await becomes('export_undelivered_due_seconds{kind="s3"}', (age) => age === 0);

    await db.query(`UPDATE export_schedule SET next_due_at = now() - interval '3 hours', waiting_for = 'the recorder',
      waiting_since = now() - interval '2 hours'`);
    await becomes('export_runs_waiting{kind="s3"}', (runs) => runs === 1);
    await becomes('export_run_waiting_seconds{kind="s3"}', (age) => age >= 7200 && age < 10_800);
    await becomes('export_undelivered_due_seconds{kind="s3"}', (age) => age >= 10_800);
  });

  it('tell of messages that no recorder records, and of rejections that nobody copied', async () => {
    await kafka.connection.publisher().publish(consentEventsTopic, [
      { key: 'acme:1', value: Buffer.from('{}') },
      { key: 'acme:2', value: Buffer.from('{}') },
    ]);
    await becomes(`ingest_backlog_messages{topic="${consentEventsTopic}"}`, (messages) => messages === 2);

    await kafka.connection.publisher().publish(interactionsTopic, [{ key: 'a', value: Buffer.from('{}') }]);
    await becomes(`ingest_backlog_messages{topic="${interactionsTopic}"}`, (messages) => messages === 1);

    const positions = new PositionStore();
    const place = { consumer: consentRecorderName, topic: consentEventsTopic, partition: 0 };
    await positions.begin(database.database, { ...place, clusterId: 'c', firstOffset: 0n });
    const position = await positions.find(database.database, place.consumer, place.topic, 0);
    if (position === undefined) throw new Error('no position');
    const counted = { recorded: 3n, duplicates: 2n, rejected: 1n, suppressed: 0n, control: 0n };
    await positions.advance(database.database, { position, nextOffset: 6n, counted });
    await positions.stop(database.database, position, 'for a test');
    await becomes(
      `ingest_position_messages{topic="${consentEventsTopic}",outcome="duplicates"}`,
      (count) => count === 2,
    );
    await becomes(`ingest_positions_stopped{topic="${consentEventsTopic}"}`, (count) => count === 1);

    await database.database.query(`INSERT INTO ingest_rejection
      (topic_id, epoch, partition, log_offset, message_headers, reasons, arrived_at)
      VALUES (1, 1, 0, 5, '{}', '[]', now() - interval '1 hour')`);
    await becomes('ingest_rejections_unpublished', (count) => count === 1);
    await becomes('ingest_rejections_unpublished_seconds', (age) => age >= 3600 && age < 7200);
  });

  it('show nothing rather than what was true once', async () => {
    await database.database.query('ALTER TABLE export_run RENAME TO export_run_away');
    await becomes('scheduler_tasks_ended_total{task="backlog",outcome="failed"}', (count) => count > 0);
    await expect(shown('export_runs_waiting{kind="s3"}')).resolves.toBeUndefined();
    await expect(shown('export_leases_overdue')).resolves.toBeNaN();
    await database.database.query('ALTER TABLE export_run_away RENAME TO export_run');
    await becomes('export_leases_overdue', (leases) => leases === 0);
  });
});
