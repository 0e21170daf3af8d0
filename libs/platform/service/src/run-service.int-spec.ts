import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const folder = join(__dirname, '..', 'test');
const children: ChildProcess[] = [];

interface Run {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  stderr: string;
  /** Resolves with the exit code. */
  readonly exit: Promise<number | null>;
  /** Resolves with the first line whose message is this. */
  logged(message: string): Promise<Record<string, unknown>>;
}

function run(env: Record<string, string>): Run {
  const child = spawn(process.execPath, ['--require', join(folder, 'register-swc.cjs'), join(folder, 'main.ts')], {
    env: { PATH: process.env['PATH'], HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line): Record<string, unknown> => JSON.parse(line)));
    waiting.forEach((check) => check());
  });
  const state: Run = {
    child,
    lines,
    stderr: '',
    exit: once(child, 'close').then(([code]) => code),
    logged: (message) =>
      new Promise((resolve) => {
        const check = () => {
          const line = lines.find(({ msg }) => msg === message);
          if (line === undefined) return;
          waiting.delete(check);
          resolve(line);
        };
        waiting.add(check);
        check();
      }),
  };
  child.stderr.on('data', (chunk: Buffer) => (state.stderr += chunk.toString()));
  return state;
}

afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

describe('runService', () => {
  it('starts, answers, and stops cleanly on a signal; a second signal is harmless', async () => {
    const service = run({});
    const { url } = await service.logged('the service is ready');
    expect((await fetch(`${String(url)}/health/ready`)).status).toBe(200);
    service.child.kill('SIGTERM');
    await service.logged('a stop was asked for');
    service.child.kill('SIGINT');
    expect(await service.exit).toBe(0);
    expect(service.lines.map(({ msg }) => msg)).toEqual([
      'the service is ready',
      'a stop was asked for',
      'a stop was asked for',
      'the worker finished its unit',
      'the service has stopped',
    ]);
    expect(service.stderr).toBe('');
  });

  it('exits with 78 and names every fault of the configuration', async () => {
    const service = run({ HTTP_PORT: 'http', LOG_LEVEL: 'loud', SHUTDOWN_GRACE_MS: '-1' });
    expect(await service.exit).toBe(78);
    expect(service.stderr).toContain('fixture: The configuration is not valid:');
    for (const variable of ['HTTP_PORT', 'LOG_LEVEL', 'SHUTDOWN_GRACE_MS']) expect(service.stderr).toContain(variable);
    expect(service.stderr).not.toContain('    at ');
  });

  it.each([
    ['start', 'the service could not start', 'the worker cannot start'],
    ['rejection', 'a rejection was not handled', 'nobody waits for this'],
    ['exception', 'an exception was not caught', 'nobody catches this'],
  ])('exits with 1 and a fatal line on a fault of kind %s', async (fault, msg, message) => {
    const service = run({ FAULT: fault });
    expect(await service.exit).toBe(1);
    expect(service.lines).toContainEqual(
      expect.objectContaining({ level: 'fatal', msg, err: expect.objectContaining({ message }) }),
    );
    expect(service.lines.filter((line) => JSON.stringify(line).includes(message))).toHaveLength(1);
  });

  it('says what to change when the port is taken', async () => {
    const first = run({});
    const { url } = await first.logged('the service is ready');
    const { port } = new URL(String(url));
    const second = run({ HTTP_PORT: port });
    expect(await second.exit).toBe(1);
    expect(await second.logged('the service could not start')).toMatchObject({
      err: {
        code: 'address_in_use',
        message: `127.0.0.1:${port} is taken by another process: stop it, or set HTTP_PORT to a free port`,
      },
    });
    expect(second.lines.filter(({ level }) => level === 'error')).toEqual([]);
    first.child.kill('SIGTERM');
    await first.exit;
  });

  it('cuts a stop short that hangs', async () => {
    const service = run({ FAULT: 'hang', SHUTDOWN_TIMEOUT_MS: '300' });
    await service.logged('the service is ready');
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(1);
    await service.logged('the stop took too long and was cut short');
  });
});
