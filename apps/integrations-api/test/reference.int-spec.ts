import { type Client, type Harness, startHarness } from './harness';

let harness: Harness;
let client: Client;

beforeAll(async () => {
  harness = await startHarness();
  client = await harness.organization('acme');
});
afterAll(() => harness.close());

const INTEGRATIONS = '/v1/marketplace/integrations';

/** Every request of a client of the harness is held against the reference: here it is enough to send them. */
describe('the reference', () => {
  it('describes every route', async () => {
    const document = await (await fetch(`${harness.service.url}/docs-json`)).json();
    expect(Object.keys(Object(document).paths).sort()).toEqual([
      '/marketplace/exports/logs',
      '/v1/analytics/downloads',
      '/v1/analytics/ids',
      '/v1/analytics/ids/{id}',
      '/v1/analytics/ids/{id}/keys',
      '/v1/analytics/ids/{id}/keys/{key}',
      '/v1/analytics/reports',
      '/v1/exports/execute',
      '/v1/keys',
      '/v1/keys/{id}',
      '/v1/marketplace/exports/logs',
      '/v1/marketplace/integrations',
      '/v1/marketplace/integrations/{id}',
      '/v1/marketplace/integrations/{id}/runs',
      '/v1/marketplace/integrations/{id}/runs/{run}',
      '/v1/marketplace/integrations/{id}/runs/{run}/cancel',
      '/v1/marketplace/integrations/{id}/runs/{run}/retry',
      '/v1/marketplace/integrations/{id}/steps',
      '/v1/organizations/{id}',
      '/v1/quotas',
      '/v1/sessions',
      '/v1/sessions/{id}',
    ]);
  });

  it('has examples that keep to its own schemas', () => {
    expect(harness.reference.exampleFaults()).toEqual([]);
  });

  it('has requests that work as they stand', async () => {
    const [s3, gcs] = harness.reference.requestExamples('POST', INTEGRATIONS);
    const made = await client.send('POST', INTEGRATIONS, s3);
    expect(made.status).toBe(201);
    const path = `${INTEGRATIONS}/${String(made.body['id'])}`;
    for (const change of harness.reference.requestExamples('PATCH', path)) {
      expect(await client.send('PATCH', path, change)).toMatchObject({ status: 200 });
    }
    // But for the key, which nobody's example can hold.
    expect(await client.send('POST', INTEGRATIONS, gcs)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'authentication.json_key' }] },
    });
  });

  it('has requests about keys that work as they stand', async () => {
    const [key] = harness.reference.requestExamples('POST', '/v1/keys');
    const made = await client.send('POST', '/v1/keys', key);
    expect(made).toMatchObject({ status: 201, body: key });
    const path = `/v1/keys/${String(made.body['id'])}`;
    for (const method of ['PATCH', 'PUT']) {
      const [change] = harness.reference.requestExamples(method, path);
      expect(await client.send(method, path, change)).toMatchObject({ status: 200, body: change });
    }
    expect(await client.send('DELETE', path)).toMatchObject({ status: 204 });
  });

  it('has requests about analytics that work as they stand', async () => {
    const ids = '/v1/analytics/ids';
    const [example] = harness.reference.requestExamples('POST', ids);
    // But for the first day, which must not be long ago.
    const id = { ...Object(example), reports_from: new Date().toISOString().slice(0, 10) };
    const made = await client.send('POST', ids, id);
    expect(made).toMatchObject({ status: 201, body: id });
    const path = `${ids}/${String(made.body['id'])}`;
    const [change] = harness.reference.requestExamples('PATCH', path);
    expect(await client.send('PATCH', path, change)).toMatchObject({ status: 200, body: change });
    const [key] = harness.reference.requestExamples('POST', `${path}/keys`);
    const madeKey = await client.send('POST', `${path}/keys`, key);
    const keyPath = `${path}/keys/${String(madeKey.body['id'])}`;
    expect(madeKey).toMatchObject({ status: 201, body: { frequencies: Object(key).frequencies } });
    const [disable] = harness.reference.requestExamples('PATCH', keyPath);
    expect(await client.send('PATCH', keyPath, disable)).toMatchObject({ status: 200, body: disable });
    expect(await client.send('DELETE', keyPath)).toMatchObject({ status: 204 });
  });

  it('has the fields of a run and of a session', async () => {
    await client.send('PATCH', `${INTEGRATIONS}/${await anIntegration()}`, { enabled: true });
    const [execute] = harness.reference.requestExamples('POST', '/v1/exports/execute');
    const run = await client.send('POST', '/v1/exports/execute', {
      ...Object(execute),
      export_id: await anIntegration(),
    });
    expect(run).toMatchObject({ status: 202, body: { state: 'pending' } });
    const [session] = harness.reference.requestExamples('POST', '/v1/sessions');
    const credentials = { ...Object(session), key: client.key.id, secret: client.key.secret };
    expect(await client.send('POST', '/v1/sessions', credentials)).toMatchObject({ status: 200 });
    expect(await client.send('GET', '/v1/sessions/another')).toMatchObject({ status: 401 });
    for (const list of ['/v1/keys', '/v1/quotas', '/marketplace/exports/logs', '/v1/organizations/acme']) {
      expect(await client.send('GET', list)).toMatchObject({ status: 200 });
    }
  });
});

async function anIntegration(): Promise<string> {
  const { body } = await client.send('GET', INTEGRATIONS);
  return String(Object(body['data'])[0].id);
}
