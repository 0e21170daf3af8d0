import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { codeOf } from './errors';
import { workspace } from './paths';
import { isRunning, processesOf } from './processes';
import { partNames, readState, type PartName } from './state';

/** Of a stack that runs already, or of the shell: this one is to have parts of its own. */
const notInherited = /^(KAFKA|DATABASE|S3|STS|IAM|GCS|AWS|STACK)_/;

describe('a second stack beside whatever runs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'stack-'));
  chmodSync(dir, 0o755); // as a checkout is
  const inherited = Object.entries(process.env).filter(([name]) => !notInherited.test(name));
  const env = { ...Object.fromEntries(inherited), STACK_DIR: dir };
  const entry = ['tools/run.cjs', 'tools/stack/main.ts'];

  const start = (command: string) =>
    spawn(process.execPath, [...entry, command], { cwd: workspace, env, stdio: 'ignore' });

  function run(...args: string[]): { stdout: string; stderr: string; status: number | null } {
    return spawnSync(process.execPath, [...entry, ...args], { cwd: workspace, env, encoding: 'utf8' });
  }

  function up(): { environment: Record<string, string>; said: string } {
    const { status, stdout, stderr } = run('up', '--json');
    if (status !== 0) throw new Error(stderr);
    return { environment: JSON.parse(stdout), said: stderr };
  }

  const part = (name: PartName) => readState(dir).parts[name];

  async function killPart(name: PartName): Promise<void> {
    const ref = part(name);
    if (ref === undefined) throw new Error(`${name} does not run`);
    process.kill(ref.pid, 'SIGKILL');
    while (isRunning(ref)) await turn();
  }

  afterAll(() => {
    run('reset');
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it('starts although its owner was killed while it started, and kept no records', async () => {
    const owner = start('up');
    while (part('s3') === undefined) {
      if (owner.exitCode !== null) throw new Error('the owner ended by itself');
      await turn();
    }
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const left = processesOf(dir);
    expect(left.length).toBeGreaterThan(0);
    rmSync(join(dir, 'state.json'));

    expect(up().said).toContain('Stopping what a killed command left');
    expect(left.filter(isRunning)).toEqual([]);
    expect(processesOf(dir)).toHaveLength(partNames.length);
  }, 120_000);

  it('tells where it is, the same to each of two at once', async () => {
    const both = [start('up'), start('up')];
    expect(await Promise.all(both.map(async (each) => (await once(each, 'exit'))[0]))).toEqual([0, 0]);
    const { environment } = up();
    const { stdout } = run('env');
    const lines = stdout.trimEnd().split('\n');
    expect(
      Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
    ).toEqual(environment);
    expect(JSON.parse(run('status', '--json').stdout)).toHaveLength(partNames.length);
    expect(run('status').stdout).not.toContain(new URL(environment['DATABASE_URL'] ?? '').password);
  }, 120_000);

  it('gets Kafka and Postgres back with what they held, where they were', async () => {
    const { environment } = up();
    await write(environment);
    await Promise.all([killPart('kafka'), killPart('postgres')]);
    expect(run('env').status).toBe(1);

    const again = up();
    expect(again.environment).toEqual(environment);
    expect(again.said).toContain('kafka: does not run any more');
    expect(await read(environment)).toEqual({ topic: true, table: true });
  }, 120_000);

  it('forgets all parts together when an object store is gone, and says so', async () => {
    const { environment } = up();
    expect(await read(environment)).toEqual({ topic: true, table: true });
    await killPart('gcs');

    const again = up();
    expect(again.said).toMatch(/gcs stopped and kept nothing .* the whole stack begins empty/);
    expect(again.environment).toEqual(environment);
    expect(await read(environment)).toEqual({ topic: false, table: false });
  }, 120_000);

  it('leaves nothing running when it is stopped', () => {
    const { stderr, status } = run('down');
    expect(status).toBe(0);
    expect(stderr).toContain('The next start begins empty');
    expect(processesOf(dir)).toEqual([]);
    expect(run('status').status).toBe(1);
    expect(run('env')).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('npm run stack -- up') });
    expect(readFileSync(join(dir, 'logs', 'kafka.log'), 'utf8')).not.toBe('');
  }, 60_000);

  it.each([
    ['KAFKA_BROKERS', '127.0.0.1:9', 'kafka'],
    ['DATABASE_URL', 'postgres://user:hidden@127.0.0.1:9/x', 'postgres'],
    ['S3_ENDPOINT', 'http://127.0.0.1:9', 's3'],
  ])(
    'names %s when no server is there, and starts nothing',
    (variable, value, name) => {
      const { status, stderr } = spawnSync(process.execPath, [...entry, 'up'], {
        cwd: workspace,
        env: { ...env, [variable]: value },
        encoding: 'utf8',
      });
      expect(status).toBe(1);
      expect(stderr).toContain(`${variable} is set, but ${name} does not answer at`);
      expect(stderr).not.toContain('hidden');
      expect(processesOf(dir)).toEqual([]);
    },
    60_000,
  );
});

async function write(environment: Record<string, string>): Promise<void> {
  await onKafka(environment, (admin) => admin.createTopics({ topics: [{ topic: 'kept' }] }));
  await onPostgres(environment, 'CREATE TABLE kept ()');
}

async function read(environment: Record<string, string>): Promise<{ topic: boolean; table: boolean }> {
  const topics = await onKafka(environment, (admin) => admin.listTopics());
  const undefinedTable = '42P01';
  const table = await onPostgres(environment, 'SELECT FROM kept').then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === undefinedTable) return false;
      throw error;
    },
  );
  return { topic: topics.includes('kept'), table };
}

async function onKafka<T>(
  environment: Record<string, string>,
  ask: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const admin = new Kafka({ brokers: [environment['KAFKA_BROKERS'] ?? ''], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

async function onPostgres(environment: Record<string, string>, text: string): Promise<void> {
  const client = new Client({ connectionString: environment['DATABASE_URL'] });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
