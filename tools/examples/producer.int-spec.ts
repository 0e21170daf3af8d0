import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { consentEventsTopic, parseEventMessage } from '@delivery/consent/schema';
import { BatchConsumer, type FetchedBatch } from '@delivery/platform/kafka';
import { testKafka, type TestKafka, waitFor } from '@delivery/platform/testing';

const root = join(__dirname, '..', '..');

describe('docs/examples/producer.ts', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await testKafka([{ name: consentEventsTopic, partitions: 3, config: {} }]);
  });
  afterAll(() => kafka.close());

  it('publishes an event that the recorder takes', async () => {
    const env = {
      PATH: process.env['PATH'],
      KAFKA_BROKERS: kafka.config.brokers.join(','),
      TOPIC: kafka.connection.topicName(consentEventsTopic),
    };
    // As a user runs it: by Node itself, with nothing of this workspace's build.
    const args = ['--disable-warning=TimeoutNegativeWarning', 'docs/examples/producer.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    expect(stdout).toMatch(/^[0-9a-f-]{36} is at offset 0 of partition [0-2]\n$/);

    const messages: FetchedBatch['messages'][number][] = [];
    const consumer = new BatchConsumer(kafka.connection, {
      groupId: 'example',
      topics: [consentEventsTopic],
      onAssigned: async () => undefined,
      onBatch: async (batch) => void messages.push(...batch.messages),
      onError: () => undefined,
    });
    await consumer.start();
    await waitFor(() => messages.length > 0, { describe: 'the published event' });
    await consumer.stop();
    const [message] = messages;
    expect(parseEventMessage(message?.value ?? null)).toMatchObject({ ok: true, value: { organization_id: 'demo' } });
    expect(String(message?.key)).toBe('demo:jane@example.org');
  });
});
