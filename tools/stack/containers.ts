import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Part } from './parts';
import { brokerSettings } from './parts/kafka';
import { gcsFlags } from './parts/object-stores';
import { postgresFlags } from './parts/postgres';
import { stackId } from './paths';
import type { PartName } from './state';

const execute = promisify(execFile);

/** The command line of one part; the database's password comes from the environment, where `ps` does not show it. */
export function dockerRun(part: Pick<Part, 'name' | 'image'>, port: number, name: string): string[] {
  const { options, args } = layout(part.name, port);
  return ['run', '--detach', '--rm', '--name', name, ...options, part.image, ...args];
}

function layout(part: PartName, port: number): { options: string[]; args: string[] } {
  const publish = (inside: number) => ['--publish', `127.0.0.1:${port}:${inside}`];
  switch (part) {
    case 'kafka':
      return { options: [...publish(port), ...kafkaVariables(port).flatMap((line) => ['--env', line])], args: [] };
    case 'postgres':
      return { options: [...publish(5432), '--env', 'POSTGRES_PASSWORD'], args: postgresFlags };
    case 's3':
      return { options: publish(5000), args: [] };
    case 'gcs':
      return { options: publish(4443), args: gcsFlags(port) };
  }
}

/** The broker reaches itself by its advertised address too: inside, it has the port that it has outside. */
function kafkaVariables(port: number): string[] {
  const settings = {
    'node.id': '1',
    'process.roles': 'broker,controller',
    listeners: `PLAINTEXT://:${port},CONTROLLER://:9093`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.quorum.voters': '1@localhost:9093',
    ...brokerSettings,
  };
  return Object.entries(settings).map(([name, value]) => `KAFKA_${name.replaceAll('.', '_').toUpperCase()}=${value}`);
}

export function containerName(part: PartName, stack: string): string {
  return `consent-delivery-${stackId(stack)}-${part}`;
}

export function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** Starts a container in the place of one that a killed command may have left; pulls its image the first time. */
export async function startContainer(part: Part, port: number, stack: string, password: string): Promise<string> {
  const name = containerName(part.name, stack);
  await removeContainer(name);
  await execute('docker', dockerRun(part, port, name), { env: { ...process.env, POSTGRES_PASSWORD: password } });
  return name;
}

/** Succeeds when there is no such container, too. */
export async function removeContainer(name: string): Promise<void> {
  await execute('docker', ['rm', '--force', '--volumes', name]);
}

export function containerRuns(name: string): boolean {
  const result = spawnSync('docker', ['inspect', '--format', '{{.State.Running}}', name], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.trim() === 'true';
}

export function containerLog(name: string): string {
  const { stdout, stderr } = spawnSync('docker', ['logs', '--tail', '50', name], { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}
