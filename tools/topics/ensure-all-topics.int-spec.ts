import { KafkaConnection } from '@delivery/platform/kafka';
import { testKafka, type TestKafka } from '@delivery/platform/testing';
import { allTopics, ensureAllTopics, TopicsConfig } from './ensure-all-topics';

describe('ensureAllTopics', () => {
  const config = Object.assign(new TopicsConfig(), { partitions: 2, replication: -1 });
  const names = allTopics(config).map(({ name }) => name);
  let kafka: TestKafka;

  beforeEach(async () => {
    kafka = await testKafka([]);
  });

  afterEach(async () => {
    for (const name of names) await kafka.admin.deleteTopic(name).catch(() => undefined);
    await kafka.close();
  });

  it('creates what is missing, fit to be recorded, and finds nothing to do afterwards', async () => {
    const planned = await ensureAllTopics(kafka.config, config, { dryRun: true });
    expect(planned).toHaveLength(names.length);
    await expect(kafka.connection.topicExists(names[0] ?? '')).resolves.toBe(false);

    await expect(ensureAllTopics(kafka.config, config)).resolves.toEqual(planned);
    const fresh = new KafkaConnection(kafka.config);
    for (const name of names) await expect(fresh.topicFaults(name)).resolves.toEqual([]);
    await fresh.close();
    await expect(ensureAllTopics(kafka.config, config)).resolves.toEqual([]);
  });
});
