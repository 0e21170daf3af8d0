import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerName, dockerRunArgs } from './containers';
import { externalParts, stackEnvironment } from './environment';
import { missingTools, parts } from './parts';
import { freePort } from './ports';
import { isRunning, startTime } from './processes';
import { localSecrets, withLock } from './state';

describe('local stack', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stack-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('takes another port when the wanted one is taken', async () => {
    const server = createServer();
    const taken = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    const port = await freePort(taken);
    expect(port).not.toBe(taken);
    server.close();
  });

  it('names everything the machine lacks at once, and how to get it', () => {
    const lines = missingTools(parts, (command) => command === 'java');
    expect(lines).toHaveLength(3);
    expect(lines.join('\n')).toMatch(/kafka needs Maven.*apt-get install maven/);
    expect(lines.join('\n')).toMatch(/s3 needs Python/);
    expect(lines.join('\n')).toMatch(/gcs needs Go/);
  });

  it('makes its secrets once and keeps them to their owner', () => {
    const first = localSecrets(dir);
    expect(localSecrets(dir)).toEqual(first);
    expect(Object.keys(first).sort()).toEqual([
      'AUTH_TOKEN_KEYS',
      'DATABASE_PASSWORD',
      'MANIFEST_PUBLIC_KEY',
      'MANIFEST_SIGNING_KEY',
      'SECRETS_KEYS',
    ]);
    expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('tells a process from another with the same pid', () => {
    const started = startTime(process.pid) ?? '';
    expect(isRunning({ pid: process.pid, started })).toBe(true);
    expect(isRunning({ pid: process.pid, started: `${started}0` })).toBe(false);
    expect(isRunning({ pid: 0, started: '' })).toBe(false);
  });

  it('lets one at a time hold a lock, and breaks that of a dead owner', async () => {
    const path = join(dir, 'lock');
    writeFileSync(path, JSON.stringify({ pid: 2_000_000_000, started: '1' }));
    const order: string[] = [];
    const hold = (name: string) =>
      withLock(path, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push(`${name} out`);
      });
    await Promise.all([hold('a'), hold('b')]);
    expect(order[0]?.[0]).toBe(order[1]?.[0]);
    expect(order[2]?.[0]).toBe(order[3]?.[0]);
  });

  it('points services at servers that somebody else runs', () => {
    const env = { KAFKA_BROKERS: 'kafka:9092', DATABASE_URL: '' };
    expect([...externalParts(env)]).toEqual([['kafka', 'KAFKA_BROKERS']]);
    const state = {
      parts: {
        postgres: { pid: 1, started: '', port: 5 },
        s3: { pid: 1, started: '', port: 6 },
        gcs: { pid: 1, started: '', port: 7 },
      },
    };
    expect(stackEnvironment(state, { DATABASE_PASSWORD: 'pw', SECRETS_KEYS: 'k' }, env)).toMatchObject({
      KAFKA_BROKERS: 'kafka:9092',
      DATABASE_URL: 'postgres://postgres:pw@127.0.0.1:5/postgres',
      S3_ENDPOINT: 'http://127.0.0.1:6',
      GCS_ENDPOINT: 'http://127.0.0.1:7',
      SECRETS_KEYS: 'k',
    });
  });

  it('starts each part as a container with its port on the loopback interface only', () => {
    for (const part of parts) {
      const args = dockerRunArgs(part, 12_345, 'abc');
      expect(args.slice(0, 5)).toEqual(['run', '--detach', '--rm', '--name', containerName(part.name, 'abc')]);
      expect(args.join(' ')).toMatch(/--publish 127\.0\.0\.1:12345:\d+/);
      expect(args).toContain(part.image);
    }
    const kafka = parts.find((part) => part.name === 'kafka');
    expect(kafka && dockerRunArgs(kafka, 12_345, 'abc')).toContain(
      'KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:12345',
    );
  });
});
