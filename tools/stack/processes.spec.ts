import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, processesOf, startDetached, startTime, stopProcess } from './processes';

describe('processes', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'processes-'));
  });
  afterEach(async () => {
    await Promise.all(processesOf(dir).map((left) => stopProcess(left, 'SIGKILL')));
    rmSync(dir, { recursive: true, force: true });
  });

  /** A shell that has a child of its own. */
  const start = (script: string) =>
    startDetached('sh', ['-c', script], { log: join(dir, 'x.log'), cwd: dir, stack: dir });

  it('are told from others that got the same pid later', () => {
    const started = startTime(process.pid) ?? '';
    expect(isRunning({ pid: process.pid, started })).toBe(true);
    expect(isRunning({ pid: process.pid, started: `${started}0` })).toBe(false);
    expect(isRunning({ pid: 0, started: '' })).toBe(false);
    expect(isRunning({ pid: Number.NaN, started: '' })).toBe(false);
  });

  it('do not run any more when they ended and nobody has collected them', async () => {
    // The shell becomes a `sleep`, which never asks about the child that it has.
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line]: Buffer[] = await once(parent.stdout, 'data');
    const pid = Number(line);
    while (startTime(pid) !== undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(isRunning({ pid, started: '' })).toBe(false);
    parent.kill();
  });

  it('are found by the stack they belong to, without their children', async () => {
    const ref = start('sleep 60 & wait');
    while (!processesOf(dir).some(({ pid }) => pid === ref.pid)) await new Promise((resolve) => setImmediate(resolve));
    expect(processesOf(dir)).toEqual([ref]);
    expect(processesOf(`${dir}x`)).toEqual([]);
    expect(processesOf(dir.slice(0, -1))).toEqual([]);
    await stopProcess(ref);
    expect(isRunning(ref)).toBe(false);
    expect(processesOf(dir)).toEqual([]);
  });

  it('keep what the one before said', async () => {
    const first = start('echo first');
    while (isRunning(first)) await new Promise((resolve) => setImmediate(resolve));
    const second = start('echo second');
    while (isRunning(second)) await new Promise((resolve) => setImmediate(resolve));
    expect(readFileSync(join(dir, 'x.previous.log'), 'utf8')).toBe('first\n');
    expect(readFileSync(join(dir, 'x.log'), 'utf8')).toBe('second\n');
  });

  it('are refused when there is no such command', () => {
    const missing = () => startDetached(join(dir, 'nothing'), [], { log: join(dir, 'x.log'), cwd: dir, stack: dir });
    expect(missing).toThrow('nothing cannot be run');
  });
});
