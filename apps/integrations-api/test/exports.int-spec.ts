import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { runRequestedTopics, topicSpecs } from '@delivery/exports/schema';
import { MAX_WAITING_RUNS } from '../exports/run-requests';
import { testKafka, type TestKafka } from '@delivery/platform/testing';
import { type Answer, type Client, type Harness, startHarness } from './harness';

let harness: Harness;
let kafka: TestKafka;

beforeAll(async () => {
  kafka = await testKafka([...consentTopics(1), ...topicSpecs(1)]);
  harness = await startHarness({ KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix });
});
afterAll(async () => {
  await harness.close();
  await kafka.close();
});

const INTEGRATIONS = '/v1/marketplace/integrations';

async function integrationOf(client: Client): Promise<string> {
  const made = await client.send('POST', INTEGRATIONS, {
    type_id: 'batch-exports-s3',
    authentication: { account_id: '111122223333' },
    properties: { frequency: 1 },
    mappings: [],
  });
  return String(made.body['id']);
}

const execute = (client: Client, exportId: string) =>
  client.send('POST', '/v1/exports/execute', { organization_id: client.organizationId, export_id: exportId });
const setRun = (id: unknown, sql: string) => harness.database.query(`UPDATE export_run SET ${sql} WHERE id = $1`, [id]);
const nudged = async () => (await kafka.connection.watermarks(runRequestedTopics.s3))[0]?.high ?? 0n;
const idsOf = (answer: Answer) =>
  Array.isArray(answer.body['data']) ? answer.body['data'].map(({ id }: { id: string }) => id) : [];

describe('run now', () => {
  it('plans a run and tells the exporters', async () => {
    const client = await harness.organization('now');
    const id = await integrationOf(client);
    const before = await nudged();
    const run = await execute(client, id);
    expect(run).toMatchObject({
      status: 202,
      body: {
        export_id: id,
        organization_id: 'now',
        status: 'pending',
        state: 'pending',
        trigger: 'manual',
        attempt: 0,
      },
    });
    expect(await nudged()).toBe(before + 1n);
    const [row] = await harness.database.query('SELECT * FROM export_run WHERE id = $1', [run.body['id']]);
    expect(row).toMatchObject({ nudged_at: expect.any(Date), spec: { include_guests: false } });
    const [schedule] = await harness.database.query('SELECT * FROM export_schedule WHERE integration_id = $1', [id]);
    expect(schedule).toMatchObject({ planned_runs: 1, next_due_at: expect.any(Date) });
  });

  it('is refused while the integration is disabled, while too many wait, and for what is not there', async () => {
    const client = await harness.organization('refused');
    const id = await integrationOf(client);
    await client.send('PATCH', `${INTEGRATIONS}/${id}`, { enabled: false });
    expect(await execute(client, id)).toMatchObject({
      status: 409,
      body: { name: 'Conflict', message: expect.stringContaining('disabled') },
    });
    await client.send('PATCH', `${INTEGRATIONS}/${id}`, { enabled: true });
    const asked = await Promise.all(Array.from({ length: MAX_WAITING_RUNS + 5 }, () => execute(client, id)));
    expect(asked.filter(({ status }) => status === 202)).toHaveLength(MAX_WAITING_RUNS);
    expect(asked.filter(({ status }) => status === 409)).toHaveLength(5);
    expect(await execute(client, id)).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('wait already') },
    });
    expect(await execute(client, 'unknown123')).toMatchObject({ status: 404 });
    expect(await client.send('POST', '/v1/exports/execute', {})).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'export_id', message: 'must be a string' }] },
    });
  });
});

describe('the log', () => {
  it("has the contract's words, newest first, at both URLs", async () => {
    const client = await harness.organization('log');
    const id = await integrationOf(client);
    const runs = [];
    for (let run = 0; run < 3; run += 1) runs.push((await execute(client, id)).body['id']);
    await setRun(
      runs[0],
      `status = 'completed', finished_at = now(), progress = '{"files":2,"bytes":9,"rows":4,"users":4,"events":7}'`,
    );
    await setRun(
      runs[1],
      `status = 'failed', finished_at = now(), result_code = 'access_denied', result_message = 'Grant it.'`,
    );
    await setRun(
      runs[2],
      `status = 'retrying', retry_at = now() + interval '1 minute', attempt = 2, result_message = 'slow'`,
    );

    const query = `?export_id=${id}&organization_id=log`;
    const answer = await client.send('GET', `/marketplace/exports/logs${query}`);
    expect(answer).toMatchObject({ status: 200, body: { total: 3, limit: 100, skip: 0, waiting: [] } });
    expect(answer.body['data']).toMatchObject([
      {
        id: runs[2],
        status: 'pending',
        state: 'retrying',
        result: null,
        result_message: 'slow',
        attempt: 2,
        next_retry_at: expect.any(String),
        missing: [runs[1]],
      },
      { id: runs[1], status: 'failed', result: 'Grant it.', result_code: 'access_denied', metrics: { users: 0 } },
      {
        id: runs[0],
        export_id: id,
        organization_id: 'log',
        status: 'completed',
        config: { frequency: '1 day' },
        metrics: { users: 4 },
        result: null,
        files: 2,
        bytes: 9,
        rows: 4,
        missing: [],
      },
    ]);
    expect((await client.send('GET', `/v1/marketplace/exports/logs${query}`)).body).toEqual(answer.body);
    expect(idsOf(await client.send('GET', `/v1/marketplace/exports/logs${query}&$limit=1&$skip=1`))).toEqual([runs[1]]);
    expect(
      idsOf(await client.send('GET', '/v1/marketplace/exports/logs?status[$in]=failed&status[$in]=completed')),
    ).toEqual([runs[1], runs[0]]);
    expect(await client.send('GET', '/v1/marketplace/exports/logs?status=done')).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'status' }] },
    });
    expect(await client.send('GET', '/v1/marketplace/exports/logs?export_id=unknown123')).toMatchObject({
      status: 404,
    });
  });

  it('shows what waits for the recorder, and goes on after the integration is deleted', async () => {
    const client = await harness.organization('waits');
    const id = await integrationOf(client);
    const run = (await execute(client, id)).body['id'];
    await harness.database.query(
      `UPDATE export_schedule SET next_due_at = now() - interval '1 minute', waiting_for = 'partition 3 is behind', waiting_since = now() WHERE integration_id = $1`,
      [id],
    );
    const path = `/v1/marketplace/exports/logs?export_id=${id}`;
    expect((await client.send('GET', path)).body['waiting']).toMatchObject([
      { export_id: id, waiting_for: 'partition 3 is behind' },
    ]);
    await client.send('DELETE', `${INTEGRATIONS}/${id}`);
    expect((await client.send('GET', path)).body).toMatchObject({
      waiting: [],
      data: [{ id: run, status: 'failed', state: 'cancelled', result: expect.stringContaining('removed') }],
    });
    expect(await client.send('GET', `${INTEGRATIONS}/${id}/runs`)).toMatchObject({ status: 404 });
  });
});

describe('a run', () => {
  it('is told with its progress, cancelled, and repeated', async () => {
    const client = await harness.organization('run');
    const id = await integrationOf(client);
    const run = (await execute(client, id)).body['id'];
    const path = `${INTEGRATIONS}/${id}/runs/${String(run)}`;
    await setRun(
      run,
      `progress = '{"files":1,"bytes":5,"rows":2,"users":2,"events":3,"events_per_second":10,"estimated_events":30}'`,
    );
    expect(await client.send('GET', path)).toMatchObject({
      status: 200,
      body: { id: run, metrics: { users: 0 }, progress: { events: 3, events_per_second: 10, estimated_events: 30 } },
    });
    expect(await client.send('POST', `${path}/retry`)).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('nothing to retry') },
    });
    expect(await client.send('POST', `${path}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'failed', state: 'cancelled' },
    });
    expect(await client.send('POST', `${path}/cancel`)).toMatchObject({ status: 409 });
    const before = await nudged();
    expect(await client.send('POST', `${path}/retry`)).toMatchObject({
      status: 200,
      body: { status: 'pending', state: 'pending', result: null },
    });
    expect(await nudged()).toBe(before + 1n);
    expect(idsOf(await client.send('GET', `${INTEGRATIONS}/${id}/runs`))).toEqual([run]);
  });

  it('belongs to its integration', async () => {
    const client = await harness.organization('whose');
    const [one, two] = [await integrationOf(client), await integrationOf(client)];
    const run = String((await execute(client, one)).body['id']);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/retry'],
      ['POST', '/cancel'],
    ] as const) {
      expect(await client.send(method, `${INTEGRATIONS}/${two}/runs/${run}${path}`)).toMatchObject({ status: 404 });
      expect(await client.send(method, `${INTEGRATIONS}/${one}/runs/x${run.slice(1)}${path}`)).toMatchObject({
        status: 404,
      });
    }
  });
});

it('a run is planned though Kafka does not answer', async () => {
  const cut = await startHarness({ KAFKA_BROKERS: '127.0.0.1:1', KAFKA_PUBLISH_TIMEOUT_MS: '1000' });
  try {
    const client = await cut.organization('cut');
    const run = await execute(client, await integrationOf(client));
    expect(run).toMatchObject({ status: 202, body: { status: 'pending', complete_until: null } });
    expect(cut.logs.join('')).toContain('the exporters could not be told of a run');
  } finally {
    await cut.close();
  }
});
