import { interactionRecorderName, interactionsTopic, topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { migrations as analytics } from '@delivery/analytics/store';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { migrations as consent } from '@delivery/consent/store';
import { type FaultProxy, startFaultProxy } from '@delivery/destinations/testing';
import { DEFAULT_SPEC } from '@delivery/exports/domain';
import { topicSpecs } from '@delivery/exports/schema';
import { migrations as exports, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingest, PositionStore, RewindStore } from '@delivery/ingest/store';
import { entities, IntegrationStore, migrations } from '@delivery/integrations/store';
import { Database } from '@delivery/platform/postgres';
import {
  stackEnvironment,
  testDatabase,
  type TestDatabase,
  testKafka,
  type TestKafka,
} from '@delivery/platform/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './run-command';

let test: TestDatabase;
let kafka: TestKafka;
let database: Database;
let proxy: FaultProxy;
let copy: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  test = await testDatabase({ migrations: [...ingest, ...consent, ...exports, ...migrations, ...analytics] });
  kafka = await testKafka([...consentTopics(1), ...analyticsTopics(1), ...topicSpecs(1)]);
  database = await new Database(test.config, { applicationName: 'test', entities }).open();
  proxy = await startFaultProxy(stackEnvironment()['S3_ENDPOINT'] ?? '');
  copy = await mkdtemp(join(tmpdir(), 'copy-'));
  env = {
    ...stackEnvironment(),
    DATABASE_URL: test.config.url,
    KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
    S3_ENDPOINT: proxy.endpoint,
  };
  await runCommand(['organization', 'create', 'acme'], () => env);
  await database.transaction((tx) => integrate(tx, 'i1'));
});
afterAll(async () => {
  await rm(copy, { recursive: true });
  await proxy.close();
  await database.close();
  await kafka.close();
  await test.close();
});
beforeEach(async () => {
  const topic = 'consent.events.v1';
  const positions = new PositionStore();
  const start = { consumer: 'consent', topic, partition: 0, clusterId: 'any', firstOffset: 0n };
  await positions.begin(database, start);
  await database.query('DELETE FROM ingest_rewind');
  await new RewindStore().notice(database, 'consent', [{ topic, partition: 0, epoch: 1, nextOffset: 9n }]);
});
afterEach(async () => {
  proxy.release();
  await database.query('DELETE FROM organization_bucket');
});

async function integrate(tx: Parameters<IntegrationStore['add']>[0], id: string): Promise<void> {
  await new IntegrationStore(database).add(tx, {
    organizationId: 'acme',
    id,
    typeId: 'batch-exports-s3',
    authentication: { account_id: '111122223333' },
    sealedCredentials: undefined,
    properties: { frequency: 1, data: ['users'] },
    mappings: [],
    createdBy: 'test',
  });
  const schedule = { destinationKind: 's3', content: 'consent-users', spec: DEFAULT_SPEC, frequencyDays: 1 } as const;
  await new ScheduleStore().create(tx, { organizationId: 'acme', integrationId: id, ...schedule });
}

const run = (line: string) => runCommand(`deliveries reconcile ${line}`.trim().split(' '), () => env);
const isHeld = async () => (await new PositionStore().readAll(database, 'consent')).some(({ held }) => held);
const makeBucket = () =>
  database.query(
    `INSERT INTO organization_bucket (organization_id, kind, bucket_name) VALUES ('acme', 's3', 'a-bucket')`,
  );
const deny = () =>
  proxy.inject({
    fault: { kind: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' },
    times: 99,
    matches: () => true,
  });

it('lets nothing go on while a bucket could not be looked at, and says what to do', async () => {
  await makeBucket();
  deny();
  const failed = expect.stringMatching(
    /"a-bucket" denied s3:ListBucket.*s3:GetObject.*--copy <folder>.*--skip i1.*wait: see to what failed/s,
  );
  await expect(run('')).rejects.toMatchObject({ code: 'refused', message: failed });
  expect(await isHeld()).toBe(true);
  await database.query('DELETE FROM organization_bucket');
  const none = expect.stringMatching(/it has no bucket.*--skip i1/s);
  await expect(run('')).rejects.toMatchObject({ code: 'refused', message: none });
});

it('reads a copy where the bucket may not be listed', async () => {
  await makeBucket();
  deny();
  expect(JSON.parse(await run(`--copy ${copy} --json`))).toMatchObject({
    released: true,
    integrations: [{ export_id: 'i1', outcome: 'unchanged' }],
  });
  expect(await isHeld()).toBe(false);
  const folder = join(copy, 'data/export-id=i1/date=2026-01-01/users');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '_manifest-r1.json'), '{}');
  await expect(run(`--copy ${copy}`)).rejects.toMatchObject({
    message: expect.stringMatching(/_manifest-r1.json .*must be/),
  });
});

it('goes on without a bucket when it is told to', async () => {
  expect(await run('--skip i1')).toMatch(/acme i1: skipped\n {2}.*delivered again.*\nRecording and delivering go on/);
  expect(await isHeld()).toBe(false);
});

it('lets interactions be counted again, too', async () => {
  const start = { consumer: interactionRecorderName, topic: interactionsTopic, partition: 0, clusterId: 'any' };
  await new PositionStore().begin(database, { ...start, firstOffset: 0n });
  const place = { topic: interactionsTopic, partition: 0, epoch: 1, nextOffset: 5n };
  await new RewindStore().notice(database, interactionRecorderName, [place]);
  const counting = () => new PositionStore().find(database, interactionRecorderName, interactionsTopic, 0);
  expect(await counting()).toMatchObject({ held: true });
  await run('--skip i1');
  expect(await counting()).toMatchObject({ held: false });
});

it('waits for all integrations, and changes nothing in a dry run', async () => {
  for (const part of ['--skip i1 --organization acme', '--skip i1 --integration i1', '--skip i1 --dry-run']) {
    expect(JSON.parse(await run(`${part} --json`))).toMatchObject({ released: false });
    expect(await isHeld()).toBe(true);
  }
  await expect(run('--organization nobody')).rejects.toMatchObject({ code: 'not_found' });
});
