import { generateKeyPairSync } from 'node:crypto';
import { type Client, type Harness, startHarness } from './harness';

let harness: Harness;
let gcsBucket: string;
let jsonKey: string;
const CANARY = 'CANARY';

beforeAll(async () => {
  harness = await startHarness({ QUOTA_EXPORTS_CONFIGS: '3' });
  gcsBucket = `test-${Date.now()}-cmp-bucket`;
  await fetch(`${harness.env['GCS_ENDPOINT']}/storage/v1/b?project=didomi-cmp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: gcsBucket }),
  });
  jsonKey = serviceAccountKey();
});
afterAll(() => harness.close());

/** A complete key, as the contract's own sample leaves it out, with a canary in it. */
function serviceAccountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'didomi-cmp',
    private_key_id: `${CANARY}ID`,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'exports@didomi-cmp.iam.gserviceaccount.com',
    client_id: '1',
  });
}

const s3Request = (organizationId: string, accountId = '0000000000') => `{
    "organization_id": "${organizationId}",
    "type_id": "batch-exports-s3",
    "authentication": {
        "account_id": "${accountId}"
    },
    "properties": {
        "frequency": 1
    },
    "mappings": []
}`;

const gcsRequest = (organizationId: string, changes: { key?: string; bucket?: string } = {}) => `{
    "organization_id": "${organizationId}",
    "type_id": "batch-exports-gcp",
    "authentication": {
        "project_id": "didomi-cmp",
        "json_key": ${JSON.stringify(changes.key ?? jsonKey)}
    },
    "properties": {
        "frequency": 1,
        "bucket_name": "${changes.bucket ?? gcsBucket}"
    },
    "mappings": []
}`;

const PATH = '/v1/marketplace/integrations';
const create = (client: Client, body: string) => client.send('POST', PATH, body);
const scheduleOf = async (id: unknown) =>
  (await harness.database.query('SELECT * FROM export_schedule WHERE integration_id = $1', [id]))[0];

describe('S3', () => {
  it("takes the contract's own request, and makes a bucket and a role", async () => {
    const client = await harness.organization('didomi');
    const made = await create(client, s3Request('didomi'));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^[0-9a-z]{10}$/),
      organization_id: 'didomi',
      type_id: 'batch-exports-s3',
      authentication: { account_id: '0000000000' },
      properties: {
        frequency: 1,
        data: ['users'],
        bucket_name: expect.stringMatching(/^consent-exports-didomi-/),
        bucket_access_role_arn: expect.stringMatching(/^arn:aws:iam::\d{12}:role\/consent-exports-didomi-.*-role$/),
      },
      mappings: [],
      enabled: true,
      status: 'active',
      warnings: expect.arrayContaining([expect.stringContaining("'000000000000'")]),
    });
    expect(await client.send('GET', `${PATH}/${String(made.body['id'])}`)).toMatchObject({
      status: 200,
      body: { properties: made.body['properties'] },
    });
    const bucketName = /"bucket_name":"([^"]+)"/.exec(made.text)?.[1];
    expect((await fetch(`${harness.env['S3_ENDPOINT']}/${bucketName}?location`)).status).toBe(200);
    const schedule = await scheduleOf(made.body['id']);
    expect(schedule).toMatchObject({ destination_kind: 's3', content: 'consent-users', enabled: true });
    const due = schedule?.['next_due_at'];
    expect(due instanceof Date && Math.abs(due.getTime() - Date.now() - 86_400_000) < 60_000).toBe(true);
  });

  it('uses one bucket for all integrations of an organization, and trusts their accounts', async () => {
    const client = await harness.organization('trust');
    const [a, b] = [
      await create(client, s3Request('trust', '111111111111')),
      await create(client, s3Request('trust', '222222222222')),
    ];
    expect(a.body['properties']).toEqual(b.body['properties']);
    const bucket = async () =>
      (await harness.database.query(`SELECT * FROM organization_bucket WHERE organization_id = 'trust'`))[0];
    expect(await bucket()).toMatchObject({ status: 'ready', account_ids: ['111111111111', '222222222222'] });
    const changed = await client.send('PATCH', `${PATH}/${String(a.body['id'])}`, {
      authentication: { account_id: '333333333333' },
    });
    expect(changed).toMatchObject({ status: 200, body: { authentication: { account_id: '333333333333' } } });
    expect(await bucket()).toMatchObject({ status: 'ready', account_ids: ['222222222222', '333333333333'] });
    for (const { body } of [a, b]) {
      expect(await client.send('DELETE', `${PATH}/${String(body['id'])}`)).toMatchObject({ status: 204, text: '' });
    }
    expect(await bucket()).toMatchObject({ status: 'ready', account_ids: [], role_arn: null });
    expect(await create(client, s3Request('trust', '111111111111'))).toMatchObject({
      status: 201,
      body: { properties: a.body['properties'] },
    });
  });

  it('delivers events as lines of their own, compressed as wanted, when asked to', async () => {
    const client = await harness.organization('flat');
    const properties = { frequency: 1, data: ['events'], compression: 'zstd' };
    const asked = { organization_id: 'flat', type_id: 'batch-exports-s3', mappings: [] };
    const authentication = { account_id: '111122223333' };
    const made = await create(client, JSON.stringify({ ...asked, authentication, properties }));
    expect(made).toMatchObject({ status: 201, body: { properties } });
    const path = `${PATH}/${String(made.body['id'])}`;
    const layout = 'data/export-id={id}/date={date}/events/{run}-{n}.json';
    expect(await scheduleOf(made.body['id'])).toMatchObject({
      content: 'consent-events',
      spec: { compression: 'zstd', layout: `${layout}.zst` },
    });
    expect(await client.send('PATCH', path, { properties: { data: ['users'] } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'properties.data', message: expect.stringContaining('delivers users') }] },
    });
    const changed = await client.send('PATCH', path, { properties: { data: ['events'], compression: 'gzip' } });
    expect(changed).toMatchObject({ status: 200, body: { properties: { data: ['events'], compression: 'gzip' } } });
    expect(await scheduleOf(made.body['id'])).toMatchObject({ spec: { compression: 'gzip', layout: `${layout}.gz` } });
  });

  it('creates side by side without losing an account', async () => {
    const client = await harness.organization('many');
    const accounts = ['111111111111', '222222222222', '333333333333'];
    const made = await Promise.all(accounts.map((account) => create(client, s3Request('many', account))));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    const [bucket] = await harness.database.query(`SELECT * FROM organization_bucket WHERE organization_id = 'many'`);
    expect(bucket).toMatchObject({ status: 'ready', account_ids: accounts });
  });
});

describe('analytics exports', () => {
  const analytics = (request: string) => request.replace('batch-exports', 'analytics-exports');

  it.each([
    ['s3', () => analytics(s3Request('counts'))],
    ['gcs', () => analytics(gcsRequest('counts'))],
  ])("take the contract's own request for %s, and say of data what was said", async (kind, request) => {
    const client = await harness.organization(`counts-${kind}`);
    const made = await create(client, request().replace('counts', `counts-${kind}`));
    expect(made).toMatchObject({
      status: 201,
      body: { type_id: JSON.parse(request()).type_id, properties: { frequency: 1, bucket_name: expect.any(String) } },
    });
    expect(made.body['properties']).not.toHaveProperty('data');
    const id = String(made.body['id']);
    expect(await client.send('GET', `${PATH}/${id}`)).toMatchObject({ body: { properties: made.body['properties'] } });
    const schedule = await scheduleOf(id);
    const layout = 'data/export-id={id}/date={date}/cmp_hourly_metrics/{run}-{n}.json.gz';
    const content = 'cmp_hourly_metrics';
    expect(schedule).toMatchObject({ destination_kind: kind, content, spec: { layout }, enabled: true });
    const due = schedule?.['next_due_at'];
    expect(due instanceof Date && Math.abs(due.getTime() - Date.now() - 86_400_000) < 60_000).toBe(true);
    expect(made.text).not.toContain(CANARY);
  });

  it('deliver hourly metrics, and nothing that is of consents', async () => {
    const client = await harness.organization('metrics');
    const asked = JSON.parse(analytics(s3Request('metrics', '111111111111')));
    const withData = (data: string[]) => ({ ...asked, properties: { frequency: 1, data } });
    expect(await client.send('POST', PATH, withData(['events']))).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            field: 'properties.data',
            message:
              'must be ["cmp_hourly_metrics"] for analytics-exports-s3; for events create an integration of type batch-exports-s3',
          },
        ],
      },
    });
    const made = await client.send('POST', PATH, withData(['cmp_hourly_metrics']));
    expect(made).toMatchObject({ status: 201, body: { properties: { data: ['cmp_hourly_metrics'] } } });
    const path = `${PATH}/${String(made.body['id'])}`;
    expect(await client.send('PATCH', path, { properties: { data: ['users'] } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'properties.data', message: expect.stringContaining('cmp_hourly_metrics') }] },
    });
    expect(await client.send('PATCH', path, { properties: { compression: 'zstd' } })).toMatchObject({ status: 200 });
    expect(await scheduleOf(made.body['id'])).toMatchObject({
      content: 'cmp_hourly_metrics',
      spec: { layout: expect.stringMatching(/cmp_hourly_metrics.*zst$/) },
    });
  });
});

describe('GCS', () => {
  it("takes the contract's own request, and keeps the key sealed", async () => {
    const client = await harness.organization('gcs');
    const made = await create(client, gcsRequest('gcs'));
    expect(made).toMatchObject({
      status: 201,
      body: {
        type_id: 'batch-exports-gcp',
        authentication: { project_id: 'didomi-cmp', client_email: 'exports@didomi-cmp.iam.gserviceaccount.com' },
        properties: { frequency: 1, data: ['users'], bucket_name: gcsBucket },
        warnings: [],
      },
    });
    const [row] = await harness.database.query('SELECT * FROM integration WHERE id = $1', [made.body['id']]);
    expect(row?.['sealed_credentials']).toMatch(/^v1\./);
    expect(JSON.stringify([row, await client.send('GET', PATH)])).not.toMatch(/CANARY|PRIVATE KEY|json_key/);
    // Nothing of the probe stays in the bucket.
    const objects = await fetch(`${harness.env['GCS_ENDPOINT']}/storage/v1/b/${gcsBucket}/o`);
    expect(await objects.text()).not.toContain('_delivery-check');
  });

  it('proves a changed bucket with the key it has, and a changed key', async () => {
    const client = await harness.organization('gcs2');
    const made = await create(client, gcsRequest('gcs2'));
    const path = `${PATH}/${String(made.body['id'])}`;
    expect(await client.send('PATCH', path, { properties: { bucket_name: 'no-such-bucket' } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'properties.bucket_name', message: expect.stringContaining('does not exist') }] },
    });
    expect(await client.send('PATCH', path, { authentication: { json_key: serviceAccountKey() } })).toMatchObject({
      status: 200,
      body: { properties: { bucket_name: gcsBucket } },
    });
    expect(await client.send('DELETE', path)).toMatchObject({ status: 204 });
    expect(await client.send('DELETE', path)).toMatchObject({ status: 404 });
    const [row] = await harness.database.query('SELECT * FROM integration WHERE id = $1', [made.body['id']]);
    expect(row).toMatchObject({ status: 'deleted', sealed_credentials: null });
    expect(await scheduleOf(made.body['id'])).toMatchObject({ enabled: false, next_due_at: null });
  });

  it.each([
    ['no JSON', 'CANARY', 'authentication.json_key', 'is not JSON'],
    [
      'a user key',
      '{"type":"authorized_user","refresh_token":"CANARY"}',
      'authentication.json_key',
      '"authorized_user"',
    ],
    [
      'an external account',
      '{"type":"external_account","token_url":"http://169.254.169.254/CANARY"}',
      'authentication.json_key',
      '"external_account"',
    ],
  ])('refuses %s with a sentence', async (name, key, field, sentence) => {
    const id = `bad${name.length}`;
    const answer = await create(await harness.organization(id), gcsRequest(id, { key }));
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 400, name: 'BadRequest', errors: [{ field, message: expect.stringContaining(sentence) }] },
    });
    expect(answer.text).not.toContain(CANARY);
  });

  it('refuses a bucket that is not there', async () => {
    const answer = await create(
      await harness.organization('nobucket'),
      gcsRequest('nobucket', { bucket: 'no-such-bucket-here' }),
    );
    expect(answer).toMatchObject({
      status: 400,
      body: {
        errors: [
          { field: 'properties.bucket_name', message: expect.stringContaining('"no-such-bucket-here" does not exist') },
        ],
      },
    });
    expect(await harness.database.query(`SELECT 1 FROM integration WHERE organization_id = 'nobucket'`)).toEqual([]);
  });
});

describe('requests', () => {
  it('names every field at fault', async () => {
    const client = await harness.organization('faults');
    const body = {
      type_id: 'batch-exports-s3',
      authentication: { account_id: 5 },
      properties: { frequency: 2 },
      mappings: [1],
      extra: true,
    };
    const answer = await client.send('POST', PATH, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 400, name: 'BadRequest' } });
    const { errors } = answer.body;
    const fields = Array.isArray(errors) ? errors.map(({ field }: { field: string }) => field) : [];
    expect([...new Set(fields)].sort()).toEqual([
      'authentication.account_id',
      'extra',
      'mappings',
      'properties.frequency',
    ]);
  });

  it('names what its type needs beside what is wrong by itself', async () => {
    const client = await harness.organization('needs');
    const body = { type_id: 'batch-exports-gcp', authentication: { account_id: '1' }, properties: { frequency: 2 } };
    const answer = await client.send('POST', PATH, body);
    expect(answer).toMatchObject({ status: 400 });
    expect([answer.body['errors']].flat()).toEqual([
      { field: 'properties.frequency', message: 'must be 1: exports are delivered daily' },
      { field: 'authentication.account_id', message: 'is not used by batch-exports-gcp: leave it out' },
      { field: 'authentication.project_id', message: 'is needed for batch-exports-gcp' },
      { field: 'authentication.json_key', message: 'is needed for batch-exports-gcp' },
      { field: 'properties.bucket_name', message: 'is needed for batch-exports-gcp' },
    ]);
  });

  it('refuses a type that there is not', async () => {
    const client = await harness.organization('types');
    expect(await create(client, s3Request('types').replace('batch-exports-s3', 'webhook-http'))).toMatchObject({
      status: 400,
      body: {
        errors: [{ field: 'type_id', message: expect.stringContaining('batch-exports-gcp, analytics-exports-s3') }],
      },
    });
  });

  it('takes the organization from body, query or key, and refuses two different ones', async () => {
    const client = await harness.organization('where');
    const { organization_id: _, ...body } = JSON.parse(s3Request('where'));
    expect(await client.send('POST', `${PATH}?organization_id=where`, body)).toMatchObject({ status: 201 });
    expect(
      await client.send('POST', `${PATH}?organization_id=where`, { ...body, organization_id: 'didomi' }),
    ).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'organization_id' }] },
    });
    expect(await client.send('POST', PATH, { ...body, organization_id: 'didomi' })).toMatchObject({ status: 403 });
    expect(await client.send('GET', `${PATH}?organization_id=didomi`)).toMatchObject({ status: 403 });
  });

  it('keeps to the quota, also when it is asked for at once, and when enabling', async () => {
    const client = await harness.organization('quota');
    const made = await Promise.all([1, 2, 3, 4].map(() => create(client, s3Request('quota', '111111111111'))));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403]);
    expect(made.find(({ status }) => status === 403)?.body).toMatchObject({
      name: 'Forbidden',
      message: expect.stringContaining('may have 3'),
    });
    const first = made.find(({ status }) => status === 201);
    const path = `${PATH}/${String(first?.body['id'])}`;
    expect(await client.send('PATCH', path, { enabled: false })).toMatchObject({
      status: 200,
      body: { enabled: false, status: 'disabled' },
    });
    expect(await scheduleOf(first?.body['id'])).toMatchObject({ enabled: false, next_due_at: null });
    expect(await create(client, s3Request('quota', '111111111111'))).toMatchObject({ status: 201 });
    expect(await client.send('PATCH', path, { enabled: true })).toMatchObject({ status: 403 });
    expect(await client.send('GET', '/v1/quotas?organization_id=quota')).toMatchObject({
      status: 200,
      body: {
        data: [{ organization_id: 'quota', exports_configs: 3, exports_destinations: 2 }],
        total: 1,
        limit: 100,
        skip: 0,
      },
    });
    const disabled = await client.send('GET', `${PATH}?enabled=false&type_id=batch-exports-s3`);
    expect(disabled).toMatchObject({ body: { total: 1, data: [{ enabled: false }] } });
    expect(await client.send('GET', `${PATH}?$limit=2&$skip=1&$sort=created_at`)).toMatchObject({
      body: { total: 4, limit: 2, skip: 1 },
    });
    expect(await client.send('GET', `${PATH}?enable=false`)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'enable' }] },
    });
  });

  it('resumes with the next due time', async () => {
    const client = await harness.organization('pause');
    const made = await create(client, s3Request('pause', '111111111111'));
    const path = `${PATH}/${String(made.body['id'])}`;
    const before = await scheduleOf(made.body['id']);
    await client.send('PATCH', path, { enabled: false });
    expect(await client.send('PATCH', path, { enabled: true })).toMatchObject({
      body: { enabled: true, status: 'active' },
    });
    expect(await scheduleOf(made.body['id'])).toMatchObject({ enabled: true, next_due_at: before?.['next_due_at'] });
  });
});

describe('steps for the owner', () => {
  it('have his values filled in, as JSON and as Markdown', async () => {
    const client = await harness.organization('steps');
    const s3 = await create(client, s3Request('steps', '111122223333'));
    const path = `${PATH}/${String(s3.body['id'])}/steps`;
    const answer = await client.send('GET', path);
    expect(answer).toMatchObject({ status: 200, body: { organization_id: 'steps', export_id: s3.body['id'] } });
    for (const value of ['111122223333', String(s3.body['id']), 'requester']) expect(answer.text).toContain(value);
    const markdown = await client.send('GET', `${path}?format=markdown`);
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(markdown.text).toMatch(/^# Export .*\n\n## 1\. [^]*```bash\n/);
    expect(await client.send('GET', `${path}?format=pdf`)).toMatchObject({ status: 400 });
    const gcs = await create(client, gcsRequest('steps'));
    expect((await client.send('GET', `${PATH}/${String(gcs.body['id'])}/steps`)).text).toContain(
      'exports@didomi-cmp.iam.gserviceaccount.com',
    );
  });
});

it('no credential was logged, answered, or stored in the open', async () => {
  const { private_key: pem }: { private_key: string } = JSON.parse(jsonKey);
  const canaries = [CANARY, 'PRIVATE KEY', pem.split('\n')[3] ?? CANARY];
  const rows = await harness.database.query('SELECT * FROM integration');
  const everything = [...harness.logs, ...harness.answers, JSON.stringify(rows)].join('\n');
  expect(rows.length).toBeGreaterThan(5);
  for (const canary of canaries) expect(everything.includes(canary)).toBe(false);
});
