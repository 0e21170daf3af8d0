import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readState } from './state';

const root = dirname(dirname(__dirname));

describe('a second stack beside the running one', () => {
  const dir = mkdtempSync(join(tmpdir(), 'stack-'));
  const own = new Set(['KAFKA_BROKERS', 'DATABASE_URL', 'S3_ENDPOINT', 'STS_ENDPOINT', 'IAM_ENDPOINT', 'GCS_ENDPOINT']);
  const env = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.has(name))), STACK_DIR: dir };

  const stack = (...args: string[]) =>
    spawnSync(process.execPath, ['tools/run.cjs', 'tools/stack/main.ts', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
    });

  afterAll(() => {
    stack('reset');
    rmSync(dir, { recursive: true, force: true });
  });

  it('survives the death of its owner and of its parts', async () => {
    const first = spawn(process.execPath, ['tools/run.cjs', 'tools/stack/main.ts', 'up'], {
      cwd: root,
      env,
      stdio: 'ignore',
    });
    while (readState(dir).parts.kafka === undefined && first.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    first.kill('SIGKILL'); // while parts are starting

    const up = stack('up', '--json');
    if (up.status !== 0) throw new Error(up.stderr);
    const environment = JSON.parse(up.stdout) as Record<string, string>;
    expect(existsSync(join(dir, 'env'))).toBe(true);

    process.kill(readState(dir).parts.kafka?.pid ?? 0, 'SIGKILL');
    const again = stack('up', '--json');
    expect(again.stderr).toContain('not running any more: kafka');
    expect(JSON.parse(again.stdout)['DATABASE_URL']).toBe(environment['DATABASE_URL']);

    process.kill(readState(dir).parts.s3?.pid ?? 0, 'SIGKILL');
    expect(stack('up').stderr).toContain('topics and database begin anew');

    expect(stack('down').status).toBe(0);
    expect(stack('env').status).toBe(1);
  }, 180_000);
});
