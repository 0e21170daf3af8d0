import { GenericContainer, getContainerRuntimeClient, StartupCheckStrategy } from 'testcontainers';
import type { Part } from './parts';
import { brokerSettings } from './parts/kafka';
import { gcsFlags } from './parts/object-stores';
import { postgresFlags } from './parts/postgres';
import { stackId } from './paths';
import type { PartName } from './state';

/** A part as a container that outlives the command that starts it. */
export class PartContainer extends GenericContainer {
  constructor(part: Pick<Part, 'name' | 'image'>, port: number, name: string, password: string) {
    super(part.image);
    const { inside, environment = {}, command = [] } = layout(part.name, port, password);
    this.withName(name)
      .withExposedPorts({ container: inside, host: port })
      .withEnvironment(environment)
      .withCommand(command)
      .withAutoCleanup(false)
      .withWaitStrategy(new Started());
  }

  /** Without an address, Docker publishes a port on all interfaces of the machine. */
  protected override beforeContainerCreated(): Promise<void> {
    for (const bindings of Object.values<{ HostIp?: string }[]>(this.hostConfig.PortBindings ?? {})) {
      for (const binding of bindings) binding.HostIp = '127.0.0.1';
    }
    return Promise.resolve();
  }
}

/** Whether a part answers is asked of each part in its own way, natively started or not. */
class Started extends StartupCheckStrategy {
  override checkStartupState(): Promise<'SUCCESS'> {
    return Promise.resolve('SUCCESS');
  }
}

interface Layout {
  inside: number;
  environment?: Record<string, string>;
  command?: string[];
}

function layout(part: PartName, port: number, password: string): Layout {
  switch (part) {
    case 'kafka':
      return { inside: port, environment: kafkaVariables(port) };
    case 'postgres':
      return { inside: 5432, environment: { POSTGRES_PASSWORD: password }, command: postgresFlags };
    case 's3':
      return { inside: 5000 };
    case 'gcs':
      return { inside: 4443, command: gcsFlags(port) };
  }
}

/** The broker reaches itself by its advertised address too: inside, it has the port that it has outside. */
function kafkaVariables(port: number): Record<string, string> {
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
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`KAFKA_${name.replaceAll('.', '_').toUpperCase()}`, value]),
  );
}

export function containerName(part: PartName, stack: string): string {
  return `consent-delivery-${stackId(stack)}-${part}`;
}

export async function dockerAnswers(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Starts a container in the place of one that a killed command may have left; pulls its image the first time. */
export async function startContainer(part: Part, port: number, stack: string, password: string): Promise<string> {
  const name = containerName(part.name, stack);
  await removeContainer(name);
  await new PartContainer(part, port, name, password).start();
  return name;
}

/** Succeeds when there is no such container, too. */
export async function removeContainer(name: string): Promise<void> {
  const container = await find(name);
  await container.remove({ force: true, v: true }).catch(unlessMissing);
}

export async function containerRuns(name: string): Promise<boolean> {
  const container = await find(name);
  const found = await container.inspect().catch(unlessMissing);
  return found?.State.Running ?? false;
}

export async function containerLog(name: string, lines: number): Promise<string> {
  const container = await find(name);
  const frames = await container.logs({ stdout: true, stderr: true, tail: lines }).catch(unlessMissing);
  return frames === undefined ? '(no log)' : textOf(frames);
}

async function find(name: string) {
  const { container } = await getContainerRuntimeClient();
  return container.getById(name);
}

function unlessMissing(error: unknown): undefined {
  if (typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404) return;
  throw error;
}

/** Both outputs as they came: frames of a header of 8 bytes, the last 4 of which are the length, and text. */
export function textOf(frames: Buffer): string {
  const texts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    texts.push(frames.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(texts).toString();
}
