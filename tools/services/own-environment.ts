import { randomBytes } from 'node:crypto';
import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection, TopicAdmin } from '@delivery/platform/kafka';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import type { StackEnvironment } from '../stack';
import { allTopics, TopicsConfig } from '../topics/ensure-all-topics';

const PREFIX = 'demo_';

export interface OwnEnvironment {
  /** Like the stack's, but with a database and topics that nobody else has. */
  readonly environment: StackEnvironment;
  /** Removes both. Only when nobody uses them any more. */
  remove(): Promise<void>;
}

/**
 * A database and a prefix of topics on the stack, empty: whoever moves their clock moves nobody else's. What earlier runs
 * left behind and nobody uses is removed.
 */
export async function ownEnvironment(stack: StackEnvironment): Promise<OwnEnvironment> {
  const name = `${PREFIX}${randomBytes(4).toString('hex')}`;
  await onServer(stack, async (server) => {
    const left = await server.query<{ datname: string }>(
      `SELECT datname FROM pg_database d WHERE starts_with(datname, $1)
         AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)`,
      [PREFIX],
    );
    for (const { datname } of left) await remove(stack, server, datname);
    await server.query(`CREATE DATABASE ${name}`);
  });
  const url = new URL(stack['DATABASE_URL'] ?? '');
  url.pathname = `/${name}`;
  const environment = { ...stack, DATABASE_URL: url.href, KAFKA_TOPIC_PREFIX: prefixOf(name) };
  return { environment, remove: () => onServer(stack, (server) => remove(stack, server, name)) };
}

function prefixOf(name: string): string {
  return `${name}.`;
}

async function remove(stack: StackEnvironment, server: Database, name: string): Promise<void> {
  await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  const environment = { ...stack, KAFKA_TOPIC_PREFIX: prefixOf(name) };
  const connection = new KafkaConnection(loadConfig(KafkaConfig, environment));
  try {
    const admin = new TopicAdmin(connection);
    for (const topic of allTopics(loadConfig(TopicsConfig, environment))) {
      // One that is not there is gone already.
      await admin.deleteTopic(topic.name).catch(() => undefined);
    }
  } finally {
    await connection.close();
  }
}

async function onServer<T>(stack: StackEnvironment, work: (server: Database) => Promise<T>): Promise<T> {
  const server = await new Database(loadConfig(PostgresConfig, stack), { applicationName: 'demo' }).open();
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}
