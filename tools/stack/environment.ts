import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { databaseUrl } from './parts';
import type { PartName, StackState } from './state';

/** Variables that point every service and test at the stack. */
export type StackEnvironment = Record<string, string>;

const variables: Record<PartName, string> = {
  kafka: 'KAFKA_BROKERS',
  postgres: 'DATABASE_URL',
  s3: 'S3_ENDPOINT',
  gcs: 'GCS_ENDPOINT',
};

/** Parts that somebody else runs, with the variable that says so. */
export function externalParts(env = process.env): Map<PartName, string> {
  const set = Object.entries(variables).filter(([, variable]) => (env[variable] ?? '') !== '');
  return new Map(set as [PartName, string][]);
}

export function stackEnvironment(
  state: StackState,
  secrets: Record<string, string>,
  env: NodeJS.ProcessEnv,
): StackEnvironment {
  const { DATABASE_PASSWORD: _, ...serviceSecrets } = secrets;
  const at = (name: PartName) => `127.0.0.1:${state.parts[name]?.port ?? 0}`;
  const local: StackEnvironment = {
    KAFKA_BROKERS: at('kafka'),
    TOPIC_PARTITIONS: '3',
    DATABASE_URL: databaseUrl(state.parts.postgres?.port ?? 0, secrets),
    S3_ENDPOINT: `http://${at('s3')}`,
    STS_ENDPOINT: `http://${at('s3')}`,
    IAM_ENDPOINT: `http://${at('s3')}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    GCS_ENDPOINT: `http://${at('gcs')}`,
    ...serviceSecrets,
  };
  if (env['S3_ENDPOINT']) for (const name of ['STS_ENDPOINT', 'IAM_ENDPOINT']) local[name] = env['S3_ENDPOINT'];
  return Object.fromEntries(Object.entries(local).map(([name, value]) => [name, env[name] || value]));
}

/** @throws when an external part does not answer; TLS and SASL variables are the services' own. */
export async function probeExternal(name: PartName, environment: StackEnvironment): Promise<void> {
  const address = environment[variables[name]] ?? '';
  if (name === 'postgres') {
    const client = new Client({
      connectionString: address,
      connectionTimeoutMillis: 5000,
      ssl: process.env['DATABASE_SSL'] === 'true',
    });
    await client.connect();
    await client.end();
  } else if (name === 'kafka') {
    if (process.env['KAFKA_SASL_MECHANISM'] || process.env['KAFKA_SSL'] === 'true') return; // checked by the first service
    const admin = new Kafka({ brokers: address.split(','), logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin();
    await admin.connect();
    await admin.disconnect();
  } else {
    await fetch(address, { signal: AbortSignal.timeout(5000) });
  }
}
