import { containerName, PartContainer, textOf } from './containers';
import { parts } from './parts';
import type { PartName } from './state';

/** What Docker is asked for. */
class Asked extends PartContainer {
  async request() {
    await this.beforeContainerCreated();
    const { Image, name, Env = [], Cmd = [] } = this.createOpts;
    return { image: Image, name, env: Env, command: Cmd.join(' '), ...this.hostConfig };
  }
}

describe('parts as containers', () => {
  const asked = (name: PartName) => {
    const part = parts.find((each) => each.name === name);
    if (part === undefined) throw new Error(name);
    return new Asked(part, 12_345, 'box', 'a password').request();
  };

  it.each([
    ['kafka', '12345/tcp'],
    ['postgres', '5432/tcp'],
    ['s3', '5000/tcp'],
    ['gcs', '4443/tcp'],
  ] as const)('%s listens on the loopback interface only', async (name, inside) => {
    const { image, PortBindings, ...rest } = await asked(name);
    expect(image).toBe(parts.find((part) => part.name === name)?.image);
    expect(rest.name).toBe('box');
    expect(PortBindings).toEqual({ [inside]: [{ HostIp: '127.0.0.1', HostPort: '12345' }] });
  });

  it('kafka is reached from inside and outside at one address', async () => {
    const { env } = await asked('kafka');
    expect(env).toContain('KAFKA_LISTENERS=PLAINTEXT://:12345,CONTROLLER://:9093');
    expect(env).toContain('KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:12345');
    expect(env).toContain('KAFKA_AUTO_CREATE_TOPICS_ENABLE=false');
    expect(env).toContain('KAFKA_MESSAGE_MAX_BYTES=1200000');
  });

  it('postgres takes its password from the environment, where `ps` does not show it', async () => {
    const { env, command } = await asked('postgres');
    expect(env).toContain('POSTGRES_PASSWORD=a password');
    expect(command).toMatch(/^-c max_connections=200 /);
    expect(command).not.toContain('a password');
  });

  it('gcs names the port outside as its own', async () => {
    const { command } = await asked('gcs');
    expect(command).toContain('-scheme http');
    expect(command).toContain('-external-url http://127.0.0.1:12345 -public-host 127.0.0.1:12345');
  });

  it('has names of its own for each checkout', () => {
    expect(containerName('s3', '/a/.stack')).toMatch(/^consent-delivery-[0-9a-f]{12}-s3$/);
    expect(containerName('s3', '/a/.stack')).not.toBe(containerName('s3', '/b/.stack'));
  });

  it('reads both outputs of a container', () => {
    const frame = (stream: number, text: string) => {
      const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
      header.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    expect(textOf(Buffer.concat([frame(1, 'bereit für\n'), frame(2, 'anfragen\n')]))).toBe('bereit für\nanfragen\n');
    expect(textOf(Buffer.alloc(0))).toBe('');
  });
});
