import { interactionRecorderName, interactionsTopic, topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { AnalyticsKeyStore, migrations as analytics } from '@delivery/analytics/store';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { migrations as consent } from '@delivery/consent/store';
import { DEFAULT_SPEC } from '@delivery/exports/domain';
import { runRequestedTopics, topicSpecs } from '@delivery/exports/schema';
import { migrations as exports, ScheduleStore } from '@delivery/exports/store';
import { migrations as ingest, PositionStore } from '@delivery/ingest/store';
import { entities, IntegrationStore, migrations, ApiKeyStore } from '@delivery/integrations/store';
import { secretMatches } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import {
  stackEnvironment,
  testDatabase,
  type TestDatabase,
  testKafka,
  type TestKafka,
} from '@delivery/platform/testing';
import { runCommand } from './run-command';

let test: TestDatabase;
let kafka: TestKafka;
let database: Database;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  test = await testDatabase({ migrations: [...ingest, ...consent, ...exports, ...migrations, ...analytics] });
  kafka = await testKafka([...consentTopics(1), ...analyticsTopics(1), ...topicSpecs(1)]);
  database = await new Database(test.config, { applicationName: 'test', entities }).open();
  env = { ...stackEnvironment(), DATABASE_URL: test.config.url, KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix };
});
afterAll(async () => {
  await database.close();
  await kafka.close();
  await test.close();
});

const run = (line: string) => runCommand(line.split(' ').filter(Boolean), () => env);
const json = async (line: string): Promise<Record<string, unknown>> => JSON.parse(await run(`${line} --json`));

describe('organizations', () => {
  it('are made once, changed and listed', async () => {
    expect(await run('organization create acme --name Acme')).toBe('Made organization acme.\n');
    expect(await run('organization create acme')).toBe('Organization acme exists already.\n');
    expect(await json('organization create guests --exports-guests')).toEqual({ id: 'guests', outcome: 'created' });
    expect(await json('organization update acme --exports-guests')).toMatchObject({
      name: 'Acme',
      exports_guests: true,
    });
    expect(await json('organization update acme --no-exports-guests --name Acme2')).toMatchObject({
      name: 'Acme2',
      exports_guests: false,
    });
    expect(await run('organization list')).toMatch(
      /^id +name +guests +created\nacme +Acme2 +left out .*\nguests +guests +exported .*\n$/,
    );
    await expect(run('organization create Not-Valid')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('lower-case'),
    });
    await expect(run('organization update nobody')).rejects.toMatchObject({ code: 'not_found' });
    await expect(run('organization update acme --exports-guests --no-exports-guests')).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

describe('keys', () => {
  it('show their secret once, in both forms', async () => {
    const key = await json('key create acme --name reporting');
    expect(key).toEqual({
      organization_id: 'acme',
      id: expect.any(String),
      secret: expect.any(String),
      combined: `${key['id']}.${key['secret']}`,
    });
    const stored = await new ApiKeyStore(database).find(String(key['id']));
    expect(secretMatches(String(key['secret']), stored)).toBe(true);
    expect(await run('key create acme')).toMatch(/id +\S+\n +secret +\S+\n +both +\S+\.\S+/);
    expect(await run(`key disable acme ${String(key['id'])}`)).toContain('is disabled');
    const list = await run('key list acme --json');
    expect(JSON.parse(list)).toMatchObject([
      { name: 'admin', enabled: true },
      { name: 'reporting', enabled: false },
    ]);
    expect(list).not.toContain(String(key['secret']));
    expect(await json(`key enable acme ${String(key['id'])}`)).toMatchObject({ enabled: true });
    await expect(run('key create nobody')).rejects.toMatchObject({
      message: expect.stringContaining('organization create nobody'),
    });
    await expect(run(`key disable guests ${String(key['id'])}`)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('analytics', () => {
  it('ids are made, changed and listed', async () => {
    const from = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
    const made = await json(`analytics create acme --settings s1,s2 --id shops --reports-from ${from}`);
    expect(made).toMatchObject({
      ...{ id: 'shops', organization_id: 'acme', name: 'shops', settings_ids: ['s1', 's2'], enabled: true },
      ...{ frequencies: ['daily', 'weekly', 'monthly'], aggregations: ['interaction', 'granular'] },
      reports_from: from,
    });
    expect(await json('analytics create acme --settings s1 --frequencies weekly')).toMatchObject({
      ...{ id: expect.stringMatching(/^\w{10}$/), reports_from: new Date().toISOString().slice(0, 10) },
      frequencies: ['weekly'],
    });
    const changes = '--settings s3 --frequencies monthly,daily --aggregations granular --name Shops --disable';
    const changed = await json(`analytics update acme shops ${changes}`);
    expect(changed).toEqual({
      ...made,
      ...{ settings_ids: ['s3'], frequencies: ['daily', 'monthly'], aggregations: ['granular'], name: 'Shops' },
      enabled: false,
    });
    expect(await json('analytics update acme shops --enable')).toEqual({ ...changed, enabled: true });
    expect(await run('analytics list acme')).toMatch(
      /^id +name .*\nshops +Shops +enabled +[\d-]{10} +daily,monthly +granular +s3\n\w{10} .*\n$/,
    );
  });

  it.each([
    ['analytics create acme', '--settings'],
    ['analytics create acme --settings a/b', 'settings id'],
    ['analytics create acme --settings s1 --id a/b', 'analytics id'],
    ['analytics create acme --settings s1 --frequencies hourly', 'daily, weekly, monthly'],
    ['analytics create acme --settings s1 --aggregations granular,x', 'interaction, granular'],
    ['analytics create acme --settings s1 --reports-from 2026-02-30', '--reports-from'],
    ['analytics update acme shops --enable --disable', 'not both'],
    ['analytics update acme shops', 'what to change'],
    ['analytics update acme shops --name=', '--name'],
    ['analytics key create acme shops --name=', '--name'],
  ])('ids say what is wrong with "%s"', async (line, sentence) => {
    await expect(run(line)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(sentence) });
  });

  it('keys are shown once, listed, disabled and enabled', async () => {
    const key = await json('analytics key create acme shops --name bi --frequencies daily');
    const [id, secret = ''] = String(key['api_key']).split('.');
    expect(key).toMatchObject({ organization_id: 'acme', analytics_id: 'shops', id });
    const stored = await new AnalyticsKeyStore(database).find(String(id));
    expect(secretMatches(secret, stored)).toBe(true);
    expect(await run('analytics key create acme shops')).toContain('x-api-key: <key>');
    expect(await run(`analytics key disable acme shops ${id}`)).toBe(`Key ${id} is disabled.\n`);
    const list = await run('analytics key list acme shops');
    expect(list).toMatch(new RegExp(`\n${id} +bi +disabled +daily +all `));
    expect(list).not.toContain(secret);
    expect(await json(`analytics key enable acme shops ${id}`)).toMatchObject({
      enabled: true,
      frequencies: ['daily'],
    });
    expect(await run(`analytics key delete acme shops ${id}`)).toBe(`Key ${id} is deleted.\n`);
    expect(await run('analytics key list acme shops')).not.toContain(String(id));
  });

  it('names what is not there', async () => {
    for (const line of [
      'analytics create nobody --settings s1',
      'analytics list nobody',
      'analytics update acme none --enable',
      'analytics key create guests shops',
      'analytics key list acme none',
      'analytics key disable acme shops none',
      'analytics key delete acme shops none',
    ]) {
      await expect(run(line)).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('npm run') });
    }
    await expect(run('analytics create acme --settings s1 --id shops')).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('run now', () => {
  it('plans a run and tells the exporters', async () => {
    const key = { organizationId: 'acme', integrationId: 'i1' };
    await database.transaction(async (tx) => {
      await new IntegrationStore(database).add(tx, {
        organizationId: 'acme',
        id: 'i1',
        typeId: 'batch-exports-s3',
        authentication: { account_id: '111122223333' },
        sealedCredentials: undefined,
        properties: { frequency: 1, data: ['users'] },
        mappings: [],
        createdBy: 'test',
      });
      await new ScheduleStore().create(tx, {
        ...key,
        destinationKind: 's3',
        content: 'consent-users',
        spec: DEFAULT_SPEC,
        frequencyDays: 1,
      });
    });
    const planned = await json('run now acme i1');
    const rows = await database.query('SELECT id, trigger FROM export_run');
    expect(rows).toEqual([{ id: planned['run'], trigger: 'manual' }]);
    expect(await kafka.connection.watermarks(runRequestedTopics.s3)).toMatchObject([{ high: 1n }]);
    await expect(run('run now acme unknown')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('event trace', () => {
  const place = (epoch: number, offset: number) =>
    JSON.stringify({ 'consent.events.v1': { 3: { epoch, offset: String(offset) } } });
  /** A completed run over `[from, to)` of partition 3, with two files. */
  const completed = async (id: string, sequence: number, from: string, to: string) =>
    database.query(
      `INSERT INTO export_run (organization_id, id, integration_id, sequence, destination_kind, content, spec, trigger,
         due_at, due_times, date, window_from, window_to, window_to_at, status, created_at, finished_at, progress,
         manifest_key, traceparent)
       SELECT organization_id, $1, integration_id, $2, destination_kind, content, spec, 'manual', now(), '{}', '2026-01-01',
         $3, $4, now(), 'completed', now(), now(), '{"files": 2}', 'the-manifest',
         '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
       FROM export_schedule WHERE organization_id = 'acme' AND integration_id = 'i1'`,
      [id, sequence, from, to],
    );

  it('tells where an event came from, and the runs and files of the windows that hold it', async () => {
    await database.query(
      `INSERT INTO consent_event_head VALUES ('acme', 'e1', 'u1', 'gdpr', 'confirmed', 1, '2026-01-01', 1, 3, 2, 10, now())`,
    );
    await database.query(
      `INSERT INTO consent_event_revision (organization_id, topic_id, partition, epoch, log_offset, month, event_id, user_id,
         regulation, status, event_version, guest, arrived_at, effective_at, event_document)
       VALUES ('acme', 1, 3, 2, 10, '2026-01-01', 'e1', 'u1', 'gdpr', 'confirmed', 1, false, '2026-01-02', now(), '{}')`,
    );
    expect(await run('event trace acme e1')).toContain('No run has it in its window yet');

    await completed('before', 11, '{}', place(2, 10));
    await completed('holds', 12, place(2, 10), place(2, 11));
    await completed('holds-over-epochs', 13, place(1, 500), place(3, 0));
    await completed('after', 14, place(2, 11), place(3, 7));
    const trace = await json('event trace acme e1');
    expect(trace['event']).toMatchObject({
      topic: 'consent.events.v1',
      partition: 3,
      epoch: 2,
      offset: '10',
      version: 1,
    });
    expect(trace['runs']).toMatchObject([
      {
        run: 'holds',
        status: 'completed',
        manifest: 'the-manifest',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        files: [
          'data/export-id=i1/date=2026-01-01/users/holds-000000.json.gz',
          'data/export-id=i1/date=2026-01-01/users/holds-000001.json.gz',
        ],
      },
      { run: 'holds-over-epochs' },
    ]);
    const text = await run('event trace acme e1');
    expect(text).toMatch(/^Offset 10 of partition 3 of consent.events.v1 \(epoch 2\), arrived 2026-01-02T/);
    expect(text).toContain('  file      data/export-id=i1/date=2026-01-01/users/holds-000001.json.gz');
    expect(text).not.toContain('Run after');
  });

  it('tells of no other organization, and where else to look', async () => {
    await expect(run('event trace guests e1')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('ingest_rejection'),
    });
  });
});

describe('ingest new-epoch', () => {
  it('goes on where it is told to, and does not guess', async () => {
    const topic = 'consent.events.v1';
    const positions = new PositionStore();
    const start = { consumer: 'consent', topic, partition: 0, clusterId: 'old', firstOffset: 7n };
    await database.transaction((tx) => positions.begin(tx, start));
    await expect(run(`ingest new-epoch ${topic} 0`)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/from cluster old, this is .*--from earliest/s),
    });
    for (const wrong of ['1', 'soon', '-1']) {
      await expect(run(`ingest new-epoch ${topic} 0 --from=${wrong}`)).rejects.toMatchObject({ code: 'usage' });
    }
    const begun = { topic, partition: 0, epoch: 2, first_offset: '0' };
    expect(await json(`ingest new-epoch ${topic} 0 --from earliest`)).toEqual(begun);
    expect(await positions.find(database, 'consent', topic, 0)).toMatchObject({
      epoch: 2,
      nextOffset: 0n,
      status: 'running',
    });
    await kafka.admin.produce(topic, [
      { partition: 0, value: 'a' },
      { partition: 0, value: 'b' },
    ]);
    const from = async (start: string) => (await json(`ingest new-epoch ${topic} 0 ${start}`))['first_offset'];
    expect(await from('--from 1')).toBe('1');
    await expect(run(`ingest new-epoch ${topic} 0`)).rejects.toMatchObject({ code: 'refused' });
    expect(await from('--from latest')).toBe('2');
    // Nothing that the log still holds was recorded: there is nothing to be told.
    await kafka.admin.produce(topic, [{ partition: 0, value: 'c' }]);
    await kafka.admin.deleteRecords(topic, 0, 3n);
    expect(await from('')).toBe('3');
    // Behind a transaction that is open nobody can have recorded anything.
    const open = await kafka.admin.begin(topic);
    await open.send([{ partition: 0, value: 'not yet' }]);
    await kafka.admin.produce(topic, [{ partition: 0, value: 'd' }]);
    expect(await from('--from latest')).toBe('3');
    await open.abort();
    await expect(run(`ingest new-epoch ${topic} 9`)).rejects.toMatchObject({ code: 'not_found' });
    await expect(run(`ingest new-epoch ${topic} x`)).rejects.toMatchObject({ code: 'usage' });
    await expect(run('ingest new-epoch consent.commands.v1 0')).rejects.toMatchObject({ code: 'unknown_partition' });
  });
});

describe('ingest new-epoch of interactions', () => {
  it('is for those who count them', async () => {
    const positions = new PositionStore();
    const start = { consumer: interactionRecorderName, topic: interactionsTopic, partition: 0, clusterId: 'old' };
    await positions.begin(database, { ...start, firstOffset: 7n });
    await json(`ingest new-epoch ${interactionsTopic} 0 --from earliest`);
    const position = await positions.find(database, interactionRecorderName, interactionsTopic, 0);
    expect(position).toMatchObject({ epoch: 2, nextOffset: 0n });
  });
});

describe('help', () => {
  it('is everywhere', async () => {
    const never = () => {
      throw new Error('help needs no environment');
    };
    const all = await runCommand([], never);
    for (const words of ['organization create', 'key create', 'analytics key create', 'run now', 'event trace']) {
      expect(all).toContain(words);
      const help = await runCommand([...words.split(' '), '--help'], never);
      expect(help).toMatch(new RegExp(`^npm run admin -- ${words}`));
      expect(help).toContain('--json');
    }
    expect(await runCommand(['key', '--help'], never)).not.toContain('organization list');
    const ofKeys = await runCommand(['analytics', 'key', '--help'], never);
    expect(ofKeys).toContain('analytics key list');
    expect(ofKeys).not.toContain('analytics list');
  });

  it.each([
    'nonsense',
    'analytics key',
    'analytics key create a',
    'key',
    'key create',
    'key create a b',
    'organization list --loud',
    'key create acme --name',
  ])('comes with what is not understood: %s', async (line) => {
    await expect(run(line)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('npm run admin'),
    });
  });
});
