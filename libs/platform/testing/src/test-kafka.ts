import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection, TopicAdmin, type TopicSpec } from '@delivery/platform/kafka';
import { randomBytes } from 'node:crypto';
import { stackEnvironment } from './stack-environment';

export interface TestKafka {
  config: KafkaConfig;
  connection: KafkaConnection;
  admin: TopicAdmin;
  /** Deletes the topics. */
  close(): Promise<void>;
}

/** Topics of a test file's own, told from others by a prefix that also keeps its consumer groups apart. */
export async function testKafka(specs: readonly TopicSpec[]): Promise<TestKafka> {
  const prefix = `t${randomBytes(4).toString('hex')}.`;
  const config = loadConfig(KafkaConfig, { ...stackEnvironment(), KAFKA_TOPIC_PREFIX: prefix });
  const connection = new KafkaConnection(config);
  try {
    await connection.ensureTopics(specs);
  } catch (error) {
    await connection.close();
    throw new Error('Kafka of the local stack does not answer. Start it: npm run stack -- up', { cause: error });
  }
  const admin = new TopicAdmin(connection);
  return {
    config,
    connection,
    admin,
    async close() {
      await admin.close();
      for (const spec of specs) await admin.deleteTopic(spec.name).catch(() => undefined);
      await connection.close();
    },
  };
}
