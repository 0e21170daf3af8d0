import { randomBytes } from 'node:crypto';
import { Database } from '@delivery/platform/postgres';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import {
  ApiKeyStore,
  BucketStore,
  entities,
  IntegrationStore,
  migrations,
  type NewIntegration,
  OrganizationStore,
} from './index';

let test: TestDatabase;
let control: Database;
const open: Database[] = [];

/** A database as an app sees it: with this role and nothing more. */
async function openAs(role: string): Promise<Database> {
  const database = new Database({ ...test.config, role }, { applicationName: 'test', entities });
  open.push(database);
  return database.open();
}

beforeAll(async () => {
  test = await testDatabase({ migrations });
  control = await openAs('delivery_control');
  const organizations = new OrganizationStore(control);
  for (const organizationId of ['acme', 'other']) {
    await organizations.create({ organizationId, name: organizationId, exportsGuests: false });
  }
});

afterAll(async () => {
  for (const database of open) await database.close();
  await test.close();
});

const newest = { limit: 100, skip: 0, sort: [] };
const s3 = (organizationId: string, id: string, accountId: string): NewIntegration => ({
  organizationId,
  id,
  typeId: 'batch-exports-s3',
  authentication: { account_id: accountId },
  sealedCredentials: undefined,
  properties: { frequency: 1, data: ['users'] },
  mappings: [],
  createdBy: 'key1',
});
const gcs = (organizationId: string, id: string): NewIntegration => ({
  ...s3(organizationId, id, ''),
  typeId: 'batch-exports-gcp',
  authentication: { project_id: 'acme-cmp' },
  sealedCredentials: 'v1.sealed',
  properties: { frequency: 1, data: ['users'], bucket_name: 'acme-bucket' },
});

describe('OrganizationStore', () => {
  it('creates once, changes, lists, and knows no odd ids', async () => {
    const store = new OrganizationStore(control);
    const made = { organizationId: 'third', name: 'Third', exportsGuests: false };
    expect(await store.create(made)).toBe('created');
    expect(await store.create({ ...made, name: 'Again' })).toBe('exists');
    expect(await control.transaction((tx) => store.update(tx, 'third', { exportsGuests: true }))).toBe('changed');
    expect(await control.transaction((tx) => store.update(tx, 'fourth', { name: 'x' }))).toBe('absent');
    expect(await store.exportSettings(control, 'third')).toEqual({ includeGuests: true });
    expect(await store.exportSettings(control, 'fourth')).toEqual({ includeGuests: false });
    expect(await store.byId('third')).toMatchObject({ name: 'Third', exportsGuests: true });
    expect(await store.byId("x' OR true")).toBeUndefined();
    expect(await store.byId('a\0')).toBeUndefined();
    expect((await store.list()).map(({ organizationId }) => organizationId)).toEqual(['acme', 'other', 'third']);
    await expect(store.create({ ...made, organizationId: 'Not Valid' })).rejects.toMatchObject({
      code: 'refused_value',
    });
  });
});

describe('ApiKeyStore', () => {
  const secret = { secretHash: randomBytes(32), secretSalt: randomBytes(16) };

  it('gives the secret hash to signing in only', async () => {
    const store = new ApiKeyStore(control);
    const key = await store.create({ organizationId: 'acme', id: 'key1', name: 'one', description: '' }, secret);
    expect(key).toMatchObject({ id: 'key1', enabled: true });
    expect(JSON.stringify(await store.list('acme', newest))).not.toContain('ecret');
    const found = await store.find('key1');
    expect(found).toMatchObject({ organizationId: 'acme' });
    expect(found).toEqual({ organizationId: 'acme', id: 'key1', enabled: true, ...secret });
    expect(await store.find('key2')).toBeUndefined();
  });

  it("neither shows nor changes another organization's", async () => {
    const store = new ApiKeyStore(control);
    expect(await store.byId('other', 'key1')).toBeUndefined();
    expect(await store.update('other', 'key1', { enabled: false })).toBeUndefined();
    expect(await store.remove('other', 'key1')).toBe('absent');
    expect(await store.update('acme', 'key1', { enabled: false, name: 'first' })).toMatchObject({
      enabled: false,
      name: 'first',
    });
    expect(await store.update('acme', 'key1', {})).toMatchObject({ enabled: false });
  });

  it('lets consent-ingest sign in and nothing more', async () => {
    const store = new ApiKeyStore(await openAs('delivery_ingest'));
    expect(await store.find('key1')).toMatchObject({ enabled: false });
    await expect(store.update('acme', 'key1', { enabled: true })).rejects.toMatchObject({ code: 'permission_denied' });
  });
});

describe('IntegrationStore', () => {
  it('adds, finds, pages and filters, within the organization', async () => {
    const store = new IntegrationStore(control);
    await control.transaction(async (tx) => {
      await store.add(tx, s3('acme', 'a1', '0000000000'));
      await store.add(tx, gcs('acme', 'a2'));
      await store.add(tx, s3('other', 'b1', '222222222222'));
    });
    expect(await store.byId('acme', 'a2')).toMatchObject({ ...gcs('acme', 'a2'), enabled: true, status: 'active' });
    expect(await store.byId('other', 'a2')).toBeUndefined();
    expect(await store.byId('acme', '../a2')).toBeUndefined();

    const page = await store.list('acme', {}, { limit: 1, skip: 1, sort: [{ by: 'id', descending: true }] });
    expect([page.total, page.data.map(({ id }) => id)]).toEqual([2, ['a1']]);
    const types = await store.list('acme', { typeIds: ['batch-exports-gcp'], enabled: true }, newest);
    expect(types.data.map(({ id }) => id)).toEqual(['a2']);
    expect((await store.list('acme', { enabled: false }, newest)).total).toBe(0);
  });

  it('changes what is given and keeps the rest', async () => {
    const store = new IntegrationStore(control);
    const change = (changes: object) => control.transaction((tx) => store.change(tx, 'acme', 'a2', changes));
    expect(await change({ enabled: false })).toMatchObject({
      enabled: false,
      status: 'disabled',
      sealedCredentials: 'v1.sealed',
    });
    expect(await change({ sealedCredentials: 'v1.other' })).toMatchObject({
      status: 'disabled',
      sealedCredentials: 'v1.other',
    });
    expect(await control.transaction((tx) => store.countEnabled(tx, 'acme'))).toBe(1);
    expect(await change({ enabled: true })).toMatchObject({
      status: 'active',
      properties: gcs('acme', 'a2').properties,
    });
    expect(await control.transaction((tx) => store.change(tx, 'other', 'a2', { enabled: false }))).toBeUndefined();
  });

  it('names the accounts of S3 integrations in full, once each', async () => {
    const store = new IntegrationStore(control);
    await control.transaction(async (tx) => {
      await store.add(tx, s3('acme', 'a3', '000000000000'));
      await store.add(tx, s3('acme', 'a4', '111111111111'));
    });
    expect(await control.transaction((tx) => store.accountsOf(tx, 'acme'))).toEqual(['000000000000', '111111111111']);
  });

  it('destroys the credentials of what is removed, and hides it', async () => {
    const store = new IntegrationStore(control);
    const remove = (organization: string) => control.transaction((tx) => store.remove(tx, organization, 'a2'));
    expect(await remove('other')).toBe('absent');
    expect(await remove('acme')).toBe('removed');
    expect(await remove('acme')).toBe('absent');
    expect(await store.byId('acme', 'a2')).toBeUndefined();
    expect(await store.destinationOf('acme', 'a2')).toBeUndefined();
    expect(await store.wasEver('acme', 'a2')).toBe(true);
    expect(await store.wasEver('other', 'a2')).toBe(false);
    expect(await store.wasEver('acme', 'never')).toBe(false);
    const rows = await control.query(`SELECT sealed_credentials, status FROM integration WHERE id = 'a2'`);
    expect(rows).toEqual([{ sealed_credentials: null, status: 'deleted' }]);
  });

  it('tells exporters where to deliver, and lets them change nothing', async () => {
    const exporter = await openAs('delivery_exporter');
    const store = new IntegrationStore(exporter);
    expect(await store.destinationOf('acme', 'a1')).toBeUndefined();
    await new BucketStore(control).allocate('acme', 'exports-acme-x7f2');
    expect(await store.destinationOf('acme', 'a1')).toMatchObject({ kind: 's3', bucketName: 'exports-acme-x7f2' });
    expect(await store.destinationOf('other', 'a1')).toBeUndefined();
    await control.transaction((tx) => new IntegrationStore(control).add(tx, gcs('acme', 'a5')));
    expect(await store.destinationOf('acme', 'a5')).toEqual({
      organizationId: 'acme',
      integrationId: 'a5',
      typeId: 'batch-exports-gcp',
      kind: 'gcs',
      bucketName: 'acme-bucket',
      projectId: 'acme-cmp',
      sealedCredentials: 'v1.sealed',
    });
    await expect(exporter.transaction((tx) => store.remove(tx, 'acme', 'a5'))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(exporter.query('SELECT * FROM api_key')).rejects.toMatchObject({ code: 'permission_denied' });
  });
});

describe('BucketStore', () => {
  it('keeps the first name, and knows what is between row and cloud', async () => {
    const store = new BucketStore(control);
    expect(await store.allocate('other', 'first')).toMatchObject({
      bucketName: 'first',
      status: 'allocated',
      accountIds: [],
    });
    expect(await store.allocate('other', 'second')).toMatchObject({ bucketName: 'first' });
    expect(await store.unsettled(60)).toEqual([]);
    await control.query(
      `UPDATE organization_bucket SET updated_at = now() - interval '5 minutes' WHERE organization_id = 'other'`,
    );
    expect(await store.unsettled(60)).toEqual(['other']);
    await control.transaction((tx) => store.settle(tx, 'other', { roleArn: 'arn:x', accountIds: ['222222222222'] }));
    expect(await store.byOrganization('other')).toEqual({
      organizationId: 'other',
      bucketName: 'first',
      roleArn: 'arn:x',
      accountIds: ['222222222222'],
      status: 'ready',
    });
    await control.transaction((tx) => store.unsettle(tx, 'other'));
    expect(await control.transaction((tx) => store.lock(tx, 'other'))).toMatchObject({
      status: 'allocated',
      roleArn: 'arn:x',
    });
    expect(await control.transaction((tx) => store.lock(tx, 'third'))).toBeUndefined();
  });
});

describe('the entities', () => {
  it('have exactly the columns of their tables', async () => {
    for (const { tableName, columns } of control.dataSource.entityMetadatas) {
      const rows = await control.query<{ name: string }>(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
        [tableName],
      );
      expect(columns.map((column) => column.databaseName).sort()).toEqual(rows.map(({ name }) => name).sort());
    }
  });
});
