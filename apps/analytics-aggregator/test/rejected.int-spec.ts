import { interactions, interactionsRejectedTopic, interactionsTopic, topicSpecs } from '@delivery/analytics/schema';
import { BatchConsumer, type FetchedMessage } from '@delivery/platform/kafka';
import { testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';
import { startRecorder } from './recording';
import { RollupWorld } from './rollup-world';

const shown = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 's' } as const;

let kafka: TestKafka;
let world: RollupWorld;

beforeEach(async () => {
  kafka = await testKafka(topicSpecs(2));
  world = await RollupWorld.open(['acme']);
});
afterEach(async () => {
  await kafka.close();
  await world.close();
});

/** Reads a topic until it has brought so many messages. */
async function read(topic: string, count: number): Promise<FetchedMessage[]> {
  const found: FetchedMessage[] = [];
  const consumer = new BatchConsumer(kafka.connection, {
    groupId: 'reader',
    topics: [topic],
    onBatch: async ({ messages }) => void found.push(...messages),
    onError: () => undefined,
  });
  await consumer.start();
  await waitFor(() => found.length >= count, { describe: `${count} messages of ${topic}`, timeoutMs: 60_000 });
  await consumer.stop();
  return found;
}

it('copies what is rejected as it came, and says in headers where it was and why', async () => {
  const wrong = JSON.stringify({ ...shown, type: 'SHOWN' });
  const foreign = interactions.encode({ ...shown, organization_id: 'nobody' });
  await kafka.admin.produce(interactionsTopic, [
    { partition: 1, key: 'k', value: '{"type":' },
    { partition: 1, key: 'k', value: interactions.encode(shown) },
    { partition: 1, key: 'nobody:d', value: foreign },
    { partition: 1, key: null, value: wrong },
  ]);
  const recorder = await startRecorder(world.aggregator, kafka.connection, { groupId: 'record' });
  const copies = await read(interactionsRejectedTopic, 3);
  await recorder.stop();

  const rows = await world.db.query<{ at: Date }>('SELECT arrived_at AS at FROM ingest_rejection ORDER BY log_offset');
  const at = rows.map((row) => row.at.toISOString());
  const told = copies.map(({ key, value, headers }) => {
    const text = (name: string) => String(headers[`rejected-${name}`]);
    const reasons = (JSON.parse(text('reasons')) as { field: string; code: string }[]).map(
      ({ field, code }) => `${field} ${code}`,
    );
    const from = ['topic', 'partition', 'epoch', 'offset', 'at'].map(text);
    return { key: String(key), value: String(value), from, reasons };
  });
  const from = (offset: number, row: number) => [interactionsTopic, '1', '1', String(offset), at[row]];
  expect(told.sort((a, b) => Number(a.from[3]) - Number(b.from[3]))).toEqual([
    { key: 'k', value: '{"type":', from: from(0, 0), reasons: [' not_json'] },
    { key: 'nobody:d', value: String(foreign), from: from(2, 1), reasons: ['organization_id unknown_organization'] },
    { key: '', value: wrong, from: from(3, 2), reasons: ['type not_allowed'] },
  ]);
});
