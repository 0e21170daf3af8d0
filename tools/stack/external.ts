import { messageOf, StackError } from './errors';
import { variableOf, type StackEnvironment } from './environment';
import type { PartName } from './state';

/**
 * Connects to a server that somebody else runs, in the very way the services will.
 * @throws StackError `external_unreachable`, naming the variable to look at.
 */
export async function checkExternal(name: PartName, environment: StackEnvironment): Promise<void> {
  const variable = variableOf[name];
  try {
    await probes[name](environment);
  } catch (error) {
    const where = name === 'postgres' ? withoutPassword(environment[variable] ?? '') : environment[variable];
    const change = `Correct or unset ${variable}; without it the local stack starts its own.`;
    const message = `${variable} is set, but ${name} does not answer at ${where}: ${messageOf(error)}. ${change}`;
    throw new StackError('external_unreachable', message, { cause: error });
  }
}

/** Loaded when needed: most stacks are local, and starting one should not wait for the services' libraries. */
const probes: Record<PartName, (environment: StackEnvironment) => Promise<void>> = {
  async kafka(environment) {
    const { loadConfig } = await import('@delivery/platform/config');
    const { KafkaConfig, KafkaConnection } = await import('@delivery/platform/kafka');
    const connection = new KafkaConnection(loadConfig(KafkaConfig, environment));
    try {
      await connection.clusterId();
    } finally {
      await connection.close();
    }
  },
  async postgres(environment) {
    const { loadConfig } = await import('@delivery/platform/config');
    const { Database, PostgresConfig } = await import('@delivery/platform/postgres');
    const config = loadConfig(PostgresConfig, environment);
    const database = await new Database(config, { applicationName: 'stack' }).open();
    try {
      await database.query('SELECT 1');
    } finally {
      await database.close();
    }
  },
  // Any answer will do, 403 among them: the stores check rights request by request.
  s3: (environment) => answers(environment['S3_ENDPOINT'] ?? ''),
  gcs: (environment) => answers(environment['GCS_ENDPOINT'] ?? ''),
};

async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
}

/** An address that can be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, '$1@');
}
