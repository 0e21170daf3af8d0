import { randomBytes } from 'node:crypto';
import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { type ConsentEventInput, normalizeEvent } from '@delivery/consent/domain';
import { migrations as consentMigrations, recordEvents } from '@delivery/consent/store';
import { openS3Reader } from '@delivery/destinations/s3';
import { DEFAULT_SPEC } from '@delivery/exports/domain';
import { planRun } from '@delivery/exports/engine';
import { runRequested, topicSpecs } from '@delivery/exports/schema';
import { migrations as exportMigrations, RunStore, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingestMigrations, PositionStore } from '@delivery/ingest/store';
import {
  IntegrationStore,
  migrations as integrationsMigrations,
  OrganizationStore,
} from '@delivery/integrations/store';
import { bootService, type RunningService } from '@delivery/platform/service';
import {
  stackEnvironment,
  testDatabase,
  type TestDatabase,
  testKafka,
  type TestKafka,
  waitFor,
} from '@delivery/platform/testing';
import { definition } from '../app.module';

const key = { organizationId: 'acme', integrationId: 'abcdefghij' };
const bucketName = `exporter-test-${randomBytes(5).toString('hex')}`;
const TOPIC = 'consent.events.v1';

describe('exporter-s3', () => {
  const env = stackEnvironment();
  const endpoint = env['S3_ENDPOINT'] ?? '';
  let test: TestDatabase;
  let kafka: TestKafka;
  let service: RunningService | undefined;

  beforeAll(async () => {
    test = await testDatabase({
      migrations: [
        ...ingestMigrations,
        ...consentMigrations,
        ...exportMigrations,
        ...integrationsMigrations,
        ...analyticsMigrations,
      ],
    });
    kafka = await testKafka(topicSpecs(1));
    await createIntegration();
    service = await bootService(definition, {
      ...env,
      DATABASE_URL: test.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      // Only a nudge makes it look.
      EXPORT_POLL_SECONDS: '3600',
    });
  });
  afterAll(async () => {
    await service?.stop();
    await kafka.close();
    await test.close();
  });

  async function createIntegration(): Promise<void> {
    const { database } = test;
    await new OrganizationStore(database).create({ organizationId: 'acme', name: 'Acme', exportsGuests: false });
    const wish = { ...key, id: key.integrationId, typeId: 'batch-exports-s3' as const, createdBy: 'test' };
    const properties = { frequency: 1, data: ['users' as const] satisfies [unknown] };
    await new IntegrationStore(database).add(database, {
      ...wish,
      authentication: { account_id: '111122223333' },
      sealedCredentials: undefined,
      properties,
      mappings: [],
    });
    await database.query(
      `INSERT INTO organization_bucket (organization_id, kind, bucket_name, status) VALUES ('acme', 's3', $1, 'ready')`,
      [bucketName],
    );
    const schedule = { ...key, destinationKind: 's3' as const, content: 'consent-users', frequencyDays: 1 };
    await new ScheduleStore().create(database, { ...schedule, spec: DEFAULT_SPEC });
  }

  async function record(events: readonly Partial<ConsentEventInput>[]): Promise<void> {
    const positions = new PositionStore();
    await test.database.transaction(async (tx) => {
      await positions.begin(tx, {
        consumer: 'consent',
        topic: TOPIC,
        partition: 0,
        clusterId: 'test',
        firstOffset: 0n,
      });
      const position = await positions.lock(tx, 'consent', TOPIC, 0);
      if (position === undefined) throw new Error('no position');
      const arrivedAt = new Date();
      const batch = events.map((event, n) => {
        const at = { topicId: position.topicId, partition: 0, epoch: 1, offset: position.nextOffset + BigInt(n) };
        const arrival = { clusterId: 'test', topic: TOPIC, arrivedAt: arrivedAt.getTime(), position: at };
        return { arrivedAt, event: normalizeEvent({ organization_id: 'acme', ...event }, arrival) };
      });
      await recordEvents(tx, batch);
      const recorded = BigInt(events.length);
      const counted = { recorded, duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
      await positions.advance(tx, { position, nextOffset: position.nextOffset + recorded, counted });
    });
  }

  /** Plans a run and tells the exporter, as the API does. */
  async function runNow(): Promise<string> {
    const planned = await planRun(
      {
        database: test.database,
        schedules: new ScheduleStore(),
        runs: new RunStore(),
        positions: new PositionStore(),
        log: { clusterId: async () => 'c', offsetsAt: async () => [] },
        readSettings: async () => ({ includeGuests: false }),
        maxWaitSeconds: 0,
      },
      { ...key, trigger: 'manual' },
    );
    if (planned.outcome !== 'planned') throw new Error(planned.outcome);
    const message = { organization_id: 'acme', run_id: planned.run.id };
    const { name } = runRequested.s3;
    await kafka.connection.publisher().publish(name, [{ key: message.run_id, value: runRequested.s3.encode(message) }]);
    return planned.run.id;
  }

  async function ended(id: string) {
    return waitFor(
      async () => {
        const run = await new RunStore().find(test.database, { organizationId: 'acme', id });
        return run !== undefined && ['completed', 'failed', 'retrying'].includes(run.status) ? run : undefined;
      },
      { describe: 'the run to end' },
    );
  }

  it('says what is wrong while the bucket does not exist, and delivers once it does', async () => {
    const events = Array.from({ length: 50 }, (_, n) => ({ id: `e${n}`, user: { organization_user_id: `u${n % 7}` } }));
    await record(events);
    const id = await runNow();
    expect(await ended(id)).toMatchObject({
      status: 'failed',
      resultCode: 'bucket_not_found',
      resultMessage: expect.stringContaining(bucketName),
    });

    expect((await fetch(`${endpoint}/${bucketName}`, { method: 'PUT' })).status).toBe(200);
    await new RunStore().retryFailed(test.database, { organizationId: 'acme', id });
    const message = { organization_id: 'acme', run_id: id };
    await kafka.connection
      .publisher()
      .publish(runRequested.s3.name, [{ key: id, value: runRequested.s3.encode(message) }]);
    const run = await ended(id);
    expect(run).toMatchObject({ status: 'completed', attempt: 2, progress: { users: 7, events: 50, files: 1 } });

    const reader = await openS3Reader({
      bucket: bucketName,
      region: env['AWS_REGION'] ?? '',
      endpoint,
      forcePathStyle: true,
      credentials: {
        kind: 'keys',
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
    const keys = [];
    for await (const { key: name } of reader.list('', new AbortController().signal)) keys.push(name);
    await reader.close();
    const folder = `data/export-id=${key.integrationId}/date=${run.date}/users`;
    expect(keys).toEqual([`${folder}/${id}-000000.json.gz`, `${folder}/_SUCCESS`, `${folder}/_manifest-${id}.json`]);
  });

  it('tells what it did', async () => {
    const metrics = await (await fetch(`${service?.url}/metrics`)).text();
    expect(metrics).toContain('export_attempts_ended_total{content="consent-users",outcome="completed"} 1');
    expect(metrics).toContain('export_events_delivered_total 50');
    expect(metrics).toContain('export_rows_delivered_total 7');
    expect(metrics).toMatch(/destination_call_seconds_count\{kind="s3",operation="finish",outcome="ok"\} 1/);
    expect(metrics).not.toContain('acme');
  });
});
