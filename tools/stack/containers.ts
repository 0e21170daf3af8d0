import { spawnSync } from 'node:child_process';
import type { PartName } from './state';

/** Container ports of the images, in the order of the stack. */
const inner: Record<PartName, number> = { kafka: 9092, postgres: 5432, s3: 5000, gcs: 4443 };

/** Arguments of `docker run` for one part; the password goes through the environment, not the command line. */
export function dockerRunArgs(part: { name: PartName; image: string }, port: number, stackId: string): string[] {
  const base = [
    'run',
    '--detach',
    '--rm',
    '--name',
    containerName(part.name, stackId),
    '--publish',
    `127.0.0.1:${port}:${inner[part.name]}`,
  ];
  switch (part.name) {
    case 'kafka':
      return [...base, ...kafkaEnvironment(port).flatMap((line) => ['--env', line]), part.image];
    case 'postgres':
      return [
        ...base,
        '--env',
        'POSTGRES_PASSWORD',
        part.image,
        '-c',
        'max_connections=200',
        '-c',
        'shared_buffers=512MB',
      ];
    case 's3':
      return [...base, part.image];
    case 'gcs':
      return [
        ...base,
        part.image,
        '-scheme',
        'http',
        '-backend',
        'memory',
        '-external-url',
        `http://127.0.0.1:${port}`,
        '-public-host',
        `127.0.0.1:${port}`,
      ];
  }
}

export function containerName(part: PartName, stackId: string): string {
  return `consent-delivery-${stackId}-${part}`;
}

function kafkaEnvironment(port: number): string[] {
  return [
    'KAFKA_NODE_ID=1',
    'KAFKA_PROCESS_ROLES=broker,controller',
    'KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093',
    `KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:${port}`,
    'KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER',
    'KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093',
    'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1',
    'KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1',
    'KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1',
    'KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0',
    'KAFKA_AUTO_CREATE_TOPICS_ENABLE=false',
    'KAFKA_MESSAGE_MAX_BYTES=1200000',
  ];
}

export function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 5000 }).status === 0;
}

/** @throws with docker's own words. */
export function docker(args: readonly string[], env: Record<string, string> = {}): string {
  const result = spawnSync('docker', args, { encoding: 'utf8', env: { ...process.env, ...env } });
  if (result.status !== 0) throw new Error(`docker ${args[0]} failed: ${result.stderr || result.error?.message}`);
  return result.stdout.trim();
}

export function containerRuns(name: string): boolean {
  const result = spawnSync('docker', ['inspect', '--format', '{{.State.Running}}', name], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.trim() === 'true';
}
