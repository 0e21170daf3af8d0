import { type BucketProvisioner, type BucketRequest, DestinationError } from '@delivery/destinations/driver';
import { newShortId } from '@delivery/integrations/domain';
import { BucketStore, entities, IntegrationStore, migrations, OrganizationStore } from '@delivery/integrations/store';
import { Database, type Transaction } from '@delivery/platform/postgres';
import { Lifecycle } from '@delivery/platform/service';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { Logger } from '@nestjs/common';
import { PlatformBucketConfig } from './bucket.config';
import { BucketSweep } from './bucket-sweep';
import { PlatformBuckets } from './platform-buckets';
import { Provisioners } from './provisioners';

/** Remembers what it was asked to do, holds what the cloud would hold, and fails as it is told. */
class FakeCloud extends Provisioners implements BucketProvisioner {
  readonly log: string[] = [];
  readonly trusted = new Map<string, readonly string[]>();
  failNext: DestinationError | undefined;
  names = 0;

  override async s3(): Promise<BucketProvisioner> {
    return this;
  }

  allocateBucketName(organizationId: string): string {
    return `exports-${organizationId}-${(this.names += 1)}`;
  }

  async ensureBucket({ bucketName, accountIds }: BucketRequest) {
    this.log.push(`ensure ${bucketName} ${accountIds.join(',')}`);
    this.fail();
    this.trusted.set(bucketName, accountIds);
    return { bucketName, roleArn: `arn:${bucketName}`, warnings: ['a warning'] };
  }

  updateTrust(request: BucketRequest) {
    return this.ensureBucket(request);
  }

  async removeRole(bucketName: string): Promise<void> {
    this.log.push(`remove ${bucketName}`);
    this.fail();
    this.trusted.delete(bucketName);
  }

  private fail(): void {
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
  }
}

let test: TestDatabase;
let database: Database;
let buckets: BucketStore;
let integrations: IntegrationStore;
let cloud: FakeCloud;
let platform: PlatformBuckets;
let organizationId: string;

beforeAll(async () => {
  Logger.overrideLogger(false); // the failures below are on purpose
  test = await testDatabase({ migrations });
  database = await new Database(
    { ...test.config, role: 'delivery_control' },
    { applicationName: 'test', entities },
  ).open();
  buckets = new BucketStore(database);
  integrations = new IntegrationStore(database);
});
beforeEach(async () => {
  cloud = new FakeCloud(new PlatformBucketConfig());
  platform = new PlatformBuckets(database, buckets, integrations, cloud);
  organizationId = `o${newShortId()}`;
  await new OrganizationStore(database).create({ organizationId, name: '', exportsGuests: false });
});
afterAll(async () => {
  await database.close();
  await test.close();
});

const add = (accountId: string) => (tx: Transaction) =>
  integrations.add(tx, {
    organizationId,
    id: newShortId(),
    typeId: 'batch-exports-s3',
    authentication: { account_id: accountId },
    sealedCredentials: undefined,
    properties: { frequency: 1, data: ['users'] },
    mappings: [],
    createdBy: 'test',
  });
const row = () => buckets.byOrganization(organizationId);
const count = async () => (await integrations.list(organizationId, {}, { limit: 1, skip: 0, sort: [] })).total;
const sweep = () => new BucketSweep(buckets, platform, new Lifecycle()).sweep(0);

describe('a bucket of the platform', () => {
  it('stands, trusted by the integration, when the integration does', async () => {
    const { warnings } = await platform.transaction(organizationId, add('111111111111'));
    expect(warnings).toEqual(['a warning']);
    expect(await row()).toMatchObject({ status: 'ready', accountIds: ['111111111111'], roleArn: expect.any(String) });
    expect(await count()).toBe(1);
  });

  it('is no reason to keep an integration when it could not be made', async () => {
    cloud.failNext = new DestinationError('principal_invalid', 'AWS knows no account 999999999999.');
    await expect(platform.transaction(organizationId, add('999999999999'))).rejects.toMatchObject({
      errors: [{ field: 'authentication.account_id', message: 'AWS knows no account 999999999999.' }],
    });
    expect(await count()).toBe(0);
    expect(await row()).toMatchObject({ status: 'allocated', roleArn: undefined });
    const first = (await row())?.bucketName;
    await platform.transaction(organizationId, add('111111111111'));
    expect(await row()).toMatchObject({ status: 'ready', bucketName: first });
  });

  it('is finished by the sweep after a crash between cloud and commit', async () => {
    await platform.transaction(organizationId, add('111111111111'));
    const crash = platform.transaction(organizationId, async (tx) => {
      await add('222222222222')(tx);
      // The cloud will be changed; then the connection dies before the commit.
      await tx.query(`CREATE TEMP TABLE crash (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP`);
      await tx.query('INSERT INTO crash VALUES (1), (1)');
    });
    await expect(crash).rejects.toThrow();
    const name = (await row())?.bucketName ?? '';
    expect(cloud.trusted.get(name)).toEqual(['111111111111', '222222222222']);
    expect(await row()).toMatchObject({ status: 'allocated', accountIds: ['111111111111'] });
    await sweep();
    expect(cloud.trusted.get(name)).toEqual(['111111111111']);
    expect(await row()).toMatchObject({ status: 'ready', accountIds: ['111111111111'] });
  });

  it('gets another name when somebody else has the first', async () => {
    cloud.failNext = new DestinationError('name_taken', 'The bucket name belongs to another AWS account.');
    await platform.transaction(organizationId, add('111111111111'));
    const [first, second] = cloud.log.map((line) => line.split(' ')[1]);
    expect(first).not.toBe(second);
    expect(await row()).toMatchObject({ status: 'ready', bucketName: second });
    expect(await count()).toBe(1);
  });

  it('loses its role with the last integration, also when the cloud does not answer at first', async () => {
    const { result } = await platform.transaction(organizationId, add('111111111111'));
    cloud.failNext = new DestinationError('unavailable', 'AWS could not iam:DeleteRole.');
    await platform.withdrawal(organizationId, (tx) => integrations.remove(tx, organizationId, result.id));
    expect(await count()).toBe(0);
    expect(await row()).toMatchObject({ status: 'allocated' });
    await sweep();
    expect(cloud.trusted.size).toBe(0);
    expect(await row()).toMatchObject({ status: 'ready', roleArn: undefined, accountIds: [] });
    const before = cloud.log.length;
    await sweep();
    expect(cloud.log).toHaveLength(before);
  });

  it('of one organization does not keep another waiting when it cannot be settled', async () => {
    const other = organizationId;
    await buckets.allocate(other, 'first');
    organizationId = `o${newShortId()}`;
    await new OrganizationStore(database).create({ organizationId, name: '', exportsGuests: false });
    await buckets.allocate(organizationId, 'second');
    cloud.failNext = new DestinationError('access_denied', "The platform's own AWS identity may not iam:DeleteRole.");
    await sweep();
    expect([await buckets.byOrganization(other), await row()]).toMatchObject([
      { status: 'allocated' },
      { status: 'ready' },
    ]);
  });

  it('is changed by one request at a time', async () => {
    const accounts = Array.from({ length: 6 }, (_, index) => `${index}`.padStart(12, '1'));
    await Promise.all(accounts.map((account) => platform.transaction(organizationId, add(account))));
    expect(await row()).toMatchObject({ status: 'ready', accountIds: accounts });
    expect(cloud.trusted.get((await row())?.bucketName ?? '')).toEqual(accounts);
  });
});
