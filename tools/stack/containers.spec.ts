import { containerName, dockerRun } from './containers';
import { parts } from './parts';
import type { PartName } from './state';

describe('parts as containers', () => {
  const command = (name: PartName) => {
    const part = parts.find((each) => each.name === name);
    if (part === undefined) throw new Error(name);
    return dockerRun(part, 12_345, 'box').join(' ');
  };

  it.each(parts.map((part) => [part.name, part.image] as const))(
    '%s listens on the loopback interface only',
    (name, image) => {
      const line = command(name);
      expect(line).toMatch(/^run --detach --rm --name box --publish 127\.0\.0\.1:12345:\d+ /);
      expect(line.match(/--publish/g)).toHaveLength(1);
      expect(` ${line} `).toContain(` ${image} `);
    },
  );

  it('kafka is reached from inside and outside at one address', () => {
    const line = command('kafka');
    expect(line).toContain('--publish 127.0.0.1:12345:12345');
    expect(line).toContain('KAFKA_LISTENERS=PLAINTEXT://:12345,CONTROLLER://:9093');
    expect(line).toContain('KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:12345');
    expect(line).toContain('KAFKA_AUTO_CREATE_TOPICS_ENABLE=false');
    expect(line).toContain('KAFKA_MESSAGE_MAX_BYTES=1200000');
    expect(line).toMatch(/ apache\/kafka:4\.1\.0$/);
  });

  it('postgres takes its password from the environment and its settings from the end of the line', () => {
    expect(command('postgres')).toMatch(/--env POSTGRES_PASSWORD postgres:18 -c max_connections=200 /);
  });

  it('gcs names the port outside as its own', () => {
    expect(command('gcs')).toContain('127.0.0.1:12345:4443 fsouza/fake-gcs-server:1.52.3 -scheme http');
    expect(command('gcs')).toContain('-external-url http://127.0.0.1:12345 -public-host 127.0.0.1:12345');
  });

  it('has names of its own for each checkout', () => {
    expect(containerName('s3', '/a/.stack')).toMatch(/^consent-delivery-[0-9a-f]{12}-s3$/);
    expect(containerName('s3', '/a/.stack')).not.toBe(containerName('s3', '/b/.stack'));
  });
});
