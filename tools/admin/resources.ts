import { entities } from '@delivery/integrations/store';
import { loadConfig, Section } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import { Database, PostgresConfig } from '@delivery/platform/postgres';

class DatabaseSettings {
  @Section(PostgresConfig, { defaults: { DATABASE_POOL_SIZE: '4' } })
  postgres: PostgresConfig;
}

class KafkaSettings {
  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'admin' } })
  kafka: KafkaConfig;
}

/** Opens the database for one piece of work. @throws ConfigError, DatabaseError */
export async function withDatabase<T>(env: NodeJS.ProcessEnv, work: (database: Database) => Promise<T>): Promise<T> {
  const { postgres } = loadConfig(DatabaseSettings, env);
  const database = await new Database(postgres, { applicationName: 'admin', entities }).open();
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Opens the database and Kafka for one piece of work. */
export async function withKafka<T>(
  env: NodeJS.ProcessEnv,
  work: (resources: { database: Database; kafka: KafkaConnection }) => Promise<T>,
): Promise<T> {
  const kafka = new KafkaConnection(loadConfig(KafkaSettings, env).kafka);
  try {
    return await withDatabase(env, (database) => work({ database, kafka }));
  } finally {
    await kafka.close();
  }
}
