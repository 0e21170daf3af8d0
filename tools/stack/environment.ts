import { databaseUrl } from './parts/postgres';
import { reportsDir, stackDir } from './paths';
import type { LocalSecrets } from './secrets';
import { partNames, type PartName, type StackState } from './state';

/** Variables that point every service and test at the stack. */
export type StackEnvironment = Record<string, string>;

/** The variable by which somebody else's server takes the place of a part. */
export const variableOf: Record<PartName, string> = {
  kafka: 'KAFKA_BROKERS',
  postgres: 'DATABASE_URL',
  s3: 'S3_ENDPOINT',
  gcs: 'GCS_ENDPOINT',
};

/** How to log in to such a server, and what to trust: handed on as it is. */
const handedOn: Record<PartName, RegExp> = {
  kafka: /^KAFKA_(SASL|SSL)(_|$)/,
  postgres: /^DATABASE_(SSL|READ_URL)(_|$)/,
  s3: /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|REGION)$|^(STS|IAM)_ENDPOINT$/,
  gcs: /^GOOGLE_APPLICATION_CREDENTIALS$/,
};

/** Parts that somebody else runs. */
export function externalParts(env = process.env): PartName[] {
  return partNames.filter((name) => Boolean(env[variableOf[name]]));
}

/**
 * The whole environment: the stack's own parts where they listen, external ones as the given environment names them.
 * Its secrets, TOPIC_PARTITIONS and REPORT_STORE_DIR win over the local ones.
 */
export function stackEnvironment(
  ports: StackState['ports'],
  secrets: LocalSecrets,
  env: NodeJS.ProcessEnv,
): StackEnvironment {
  const external = externalParts(env);
  const { DATABASE_PASSWORD: _, ...serviceSecrets } = secrets;
  const own = partNames.filter((name) => !external.includes(name));
  return Object.assign(
    {},
    ...own.map((name) => ownPart(name, ports[name] ?? 0, secrets)),
    ...external.map((name) => externalPart(name, env)),
    preferring(env, { TOPIC_PARTITIONS: '3', REPORT_STORE_DIR: reportsDir(stackDir(env)), ...serviceSecrets }),
  ) as StackEnvironment;
}

function ownPart(name: PartName, port: number, secrets: LocalSecrets): StackEnvironment {
  const url = `http://127.0.0.1:${port}`;
  switch (name) {
    case 'kafka':
      return { KAFKA_BROKERS: `127.0.0.1:${port}` };
    case 'postgres':
      return { DATABASE_URL: databaseUrl(port, secrets) };
    case 's3':
      // Fixed, whatever the shell has for real AWS: those keys have no business in a log of requests.
      return {
        S3_ENDPOINT: url,
        STS_ENDPOINT: url,
        IAM_ENDPOINT: url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
      };
    case 'gcs':
      return { GCS_ENDPOINT: url };
  }
}

function externalPart(name: PartName, env: NodeJS.ProcessEnv): StackEnvironment {
  const address = env[variableOf[name]] ?? '';
  const beside = name === 's3' ? { STS_ENDPOINT: address, IAM_ENDPOINT: address, AWS_REGION: 'us-east-1' } : {};
  const given = Object.entries(env).filter(([variable, value]) => value && handedOn[name].test(variable));
  return { ...beside, ...(Object.fromEntries(given) as StackEnvironment), [variableOf[name]]: address };
}

function preferring(env: NodeJS.ProcessEnv, defaults: StackEnvironment): StackEnvironment {
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, env[name] || value]));
}

/** `KEY=VALUE` lines. A value with line breaks (a PEM certificate) is quoted, in the way of dotenv files. */
export function environmentLines(environment: StackEnvironment): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value.includes('\n') ? JSON.stringify(value) : value}\n`)
    .join('');
}
