import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { migrateAll } from '../migrate/migrate-all';
import { allTopics } from '../topics/ensure-all-topics';
import { ensureStack, type StackEnvironment } from '../stack';

/** A database and topics of a benchmark's own on the local stack. */
export interface Rig {
  environment: StackEnvironment;
  database: Database;
  connection: KafkaConnection;
  close(): Promise<void>;
}

export async function openRig(partitions: number): Promise<Rig> {
  const stack = await ensureStack({ progress: say });
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const server = await new Database(loadConfig(PostgresConfig, stack), { applicationName: 'bench' }).open();
  await server.query(`CREATE DATABASE ${name}`);
  const url = new URL(stack['DATABASE_URL'] ?? '');
  url.pathname = `/${name}`;
  const environment = { ...stack, DATABASE_URL: url.href, KAFKA_TOPIC_PREFIX: `${name}.`, LOG_LEVEL: 'warn' };
  const postgres = loadConfig(PostgresConfig, environment);
  await migrateAll(postgres, () => undefined);
  const connection = new KafkaConnection(loadConfig(KafkaConfig, environment));
  await connection.ensureTopics(allTopics({ partitions, replication: -1 }));
  const database = await new Database(postgres, { applicationName: 'bench' }).open();
  const close = async () => {
    await database.close();
    await connection.ask((admin) =>
      admin.deleteTopics({
        topics: allTopics({ partitions, replication: -1 }).map((spec) => connection.topicName(spec.name)),
      }),
    );
    await connection.close();
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await server.close();
  };
  return { environment, database, connection, close };
}

/** Options for the Node that is measured, for profiles. */
export const nodeOptions = process.env['BENCH_NODE_OPTIONS']?.split(' ').filter(Boolean) ?? [];

/** Starts an app as its own process and waits until it is ready. @param extraOptions - more options for its Node */
export async function startApp(
  app: string,
  environment: StackEnvironment,
  port: number,
  extraOptions: readonly string[] = [],
): Promise<ChildProcess> {
  const env = { ...process.env, ...environment, HTTP_PORT: String(port) };
  const child = spawn(process.execPath, ['tools/run.cjs', ...nodeOptions, ...extraOptions, `apps/${app}/main.ts`], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return child;
    if (child.exitCode !== null) throw new Error(`${app} ended with exit code ${child.exitCode}`);
    await delay(50);
  }
}

export async function stopApp(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
