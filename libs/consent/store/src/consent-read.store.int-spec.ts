import { normalizeEvent, type ConsentEventInput } from '@delivery/consent/domain';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { ConsentReadStore, type EventFilter, migrations, recordEvents } from './index';

const arrivedAt = new Date('2026-11-20T12:00:00Z');
const pending = { status: 'pending_approval' } as const;

let test: TestDatabase;
let read: ConsentReadStore;

beforeAll(async () => {
  test = await testDatabase({ migrations: [...ingestMigrations, ...migrations] });
  read = new ConsentReadStore(test.database);
  await record([
    { id: 'a1', user: { id: 'a', organization_user_id: 'anna@x.io' } },
    { id: 'a2', user: { id: 'a' }, ...pending },
    { id: 'b1', user: { id: 'b', organization_user_id: 'ben@x.io' }, ...pending },
    { id: 'c1', user: { organization_user_id: 'cora@x.io' }, ...pending },
    { id: 'd1', user: { id: 'd', organization_user_id: 'anna@x.io' }, ...pending },
    { id: 'e1', user: { id: 'e', organization_user_id: 'anna@x.io' }, organization_id: 'other', ...pending },
  ]);
});
afterAll(() => test.close());

async function record(inputs: Partial<ConsentEventInput>[]): Promise<void> {
  const batch = inputs.map((input, index) => {
    const position = { topicId: 1, partition: 0, epoch: 1, offset: BigInt(index) };
    const place = { clusterId: 'c', topic: 't', position, arrivedAt: arrivedAt.getTime() };
    return { arrivedAt, event: normalizeEvent({ organization_id: 'acme', ...input }, place) };
  });
  await test.database.transaction((tx) => recordEvents(tx, batch));
}

async function idsOf(filter: Pick<EventFilter, 'userId' | 'organizationUserId'>, ...statuses: string[]) {
  const wanted = { organizationId: 'acme', regulations: ['gdpr'], statuses, ...filter };
  const page = await read.events(wanted, 10, undefined);
  return page.documents.map((document): string => JSON.parse(document).id);
}

describe("a user's events", () => {
  it("are found by the customer's own id, also those that wait for approval and are all he has", async () => {
    const both = ['confirmed', 'pending_approval'];
    expect(await idsOf({ organizationUserId: 'ben@x.io' }, 'pending_approval')).toEqual(['b1']);
    expect(await idsOf({ organizationUserId: 'cora@x.io' }, 'pending_approval')).toEqual(['c1']);
    expect(await idsOf({ organizationUserId: 'ben@x.io' }, 'confirmed')).toEqual([]);
    expect(await idsOf({ organizationUserId: 'anna@x.io' }, ...both)).toEqual(['a1', 'a2', 'd1']);
    expect(await idsOf({ organizationUserId: 'anna@x.io', userId: 'd' }, ...both)).toEqual(['d1']);
    expect(await idsOf({ organizationUserId: 'anna@x.io', userId: 'b' }, ...both)).toEqual([]);
    expect(await idsOf({ organizationUserId: 'nobody@x.io' }, ...both)).toEqual([]);
    expect(await idsOf({ userId: 'a' }, ...both)).toEqual(['a1', 'a2']);
  });

  it('are looked up by index, however many others there are', async () => {
    const plan = await test.database.transaction(async (tx) => {
      await tx.query(`SET LOCAL enable_seqscan = off`);
      return tx.query(
        `EXPLAIN SELECT user_id FROM consent_event_revision WHERE organization_id = 'acme' AND status = 'pending_approval'
         AND event_document::jsonb #>> '{user,organization_user_id}' = 'anna@x.io'`,
      );
    });
    expect(JSON.stringify(plan)).toMatch(/Index Scan using consent_event_revision_\w+_expr_idx/);
  });
});
