import { environmentLines, externalParts, stackEnvironment } from './environment';
import { withoutPassword } from './external';
import type { LocalSecrets } from './secrets';

const secrets: LocalSecrets = {
  DATABASE_PASSWORD: 'pw',
  SECRETS_KEYS: 'k1:a',
  AUTH_TOKEN_KEYS: 'k1:b',
  DOWNLOAD_SIGNING_KEYS: 'k1:e',
  MANIFEST_SIGNING_KEY: 'c',
  MANIFEST_PUBLIC_KEY: 'd',
};
const ports = { kafka: 1, postgres: 2, s3: 3, gcs: 4 };

describe('the environment of the stack', () => {
  it('points at its own parts', () => {
    expect(stackEnvironment(ports, secrets, { STACK_DIR: '/stack' })).toEqual({
      KAFKA_BROKERS: '127.0.0.1:1',
      DATABASE_URL: 'postgres://postgres:pw@127.0.0.1:2/postgres',
      S3_ENDPOINT: 'http://127.0.0.1:3',
      STS_ENDPOINT: 'http://127.0.0.1:3',
      IAM_ENDPOINT: 'http://127.0.0.1:3',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      GCS_ENDPOINT: 'http://127.0.0.1:4',
      TOPIC_PARTITIONS: '3',
      REPORT_STORE_DIR: '/stack/reports',
      SECRETS_KEYS: 'k1:a',
      AUTH_TOKEN_KEYS: 'k1:b',
      DOWNLOAD_SIGNING_KEYS: 'k1:e',
      MANIFEST_SIGNING_KEY: 'c',
      MANIFEST_PUBLIC_KEY: 'd',
    });
  });

  it('hands on external servers with what belongs to them', () => {
    const env = {
      KAFKA_BROKERS: 'kafka:9093',
      KAFKA_SSL: 'true',
      KAFKA_SASL_PASSWORD: 'secret',
      KAFKA_TOPIC_PREFIX: 'x.',
      DATABASE_URL: 'postgres://db/x',
      DATABASE_SSL_CA: 'pem',
      S3_ENDPOINT: 'https://minio',
      STS_ENDPOINT: 'https://sts',
      AWS_ACCESS_KEY_ID: 'mine',
      GCS_ENDPOINT: 'http://gcs',
    };
    expect(externalParts(env)).toEqual(['kafka', 'postgres', 's3', 'gcs']);
    const environment = stackEnvironment(ports, secrets, env);
    expect(environment).toMatchObject({
      KAFKA_BROKERS: 'kafka:9093',
      KAFKA_SSL: 'true',
      KAFKA_SASL_PASSWORD: 'secret',
      DATABASE_URL: 'postgres://db/x',
      DATABASE_SSL_CA: 'pem',
      S3_ENDPOINT: 'https://minio',
      STS_ENDPOINT: 'https://sts',
      IAM_ENDPOINT: 'https://minio',
      AWS_ACCESS_KEY_ID: 'mine',
      GCS_ENDPOINT: 'http://gcs',
    });
    expect(environment).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
    expect(environment).not.toHaveProperty('KAFKA_TOPIC_PREFIX');
  });

  it('takes no key for real AWS to the local S3 server', () => {
    const env = { AWS_ACCESS_KEY_ID: 'real', AWS_SECRET_ACCESS_KEY: 'real', AWS_REGION: 'eu-west-1' };
    expect(stackEnvironment(ports, secrets, env)).toMatchObject({
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: 'us-east-1',
    });
  });

  it('prefers secrets that are given; an empty variable is none', () => {
    const env = { SECRETS_KEYS: 'k2:x', AUTH_TOKEN_KEYS: '', DATABASE_URL: '', TOPIC_PARTITIONS: '12' };
    expect(externalParts(env)).toEqual([]);
    expect(stackEnvironment(ports, secrets, env)).toMatchObject({
      SECRETS_KEYS: 'k2:x',
      AUTH_TOKEN_KEYS: 'k1:b',
      TOPIC_PARTITIONS: '12',
      DATABASE_URL: 'postgres://postgres:pw@127.0.0.1:2/postgres',
    });
  });

  it('is one line for each variable', () => {
    expect(environmentLines({ A: 'x=y', B: 'one\ntwo' })).toBe('A=x=y\nB="one\\ntwo"\n');
  });

  it.each([
    ['postgres://user:secret@host:5432/x', 'postgres://user@host:5432/x'],
    ['postgres://user@host/x', 'postgres://user@host/x'],
    ['kafka-1:9092,kafka-2:9092', 'kafka-1:9092,kafka-2:9092'],
    ['http://127.0.0.1:19000', 'http://127.0.0.1:19000'],
  ])('shows %s without its password', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});
