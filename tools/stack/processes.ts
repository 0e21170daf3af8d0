import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A detached process; `started` tells it from another one that got the same pid later. */
export interface ProcessRef {
  pid: number;
  started: string;
}

export interface DetachedOptions {
  log: string;
  cwd: string;
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
}

/** Starts a process that outlives this one; its output goes to the log file. */
export function startDetached(command: string, args: readonly string[], options: DetachedOptions): ProcessRef {
  mkdirSync(dirname(options.log), { recursive: true });
  const log = openSync(options.log, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
  });
  child.on('error', () => undefined); // told by the health check, with the log
  child.unref();
  const pid = child.pid ?? 0;
  return { pid, started: startTime(pid) ?? '' };
}

/** When a process started, in a form that differs for every process; undefined when there is none. */
export function startTime(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return ps.status === 0 ? ps.stdout.trim() : undefined;
  }
}

export function isRunning(ref: ProcessRef | undefined): ref is ProcessRef {
  return ref !== undefined && startTime(ref.pid) === ref.started;
}

/** Ends a process and what it started: politely, then not. */
export async function stopProcess(ref: ProcessRef | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!isRunning(ref)) return;
  kill(ref.pid, signal);
  for (let waited = 0; waited < 10_000 && isRunning(ref); waited += 100) await delay(100);
  if (isRunning(ref)) kill(ref.pid, 'SIGKILL');
  while (isRunning(ref)) await delay(50);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // gone already, or not the leader of a group
    }
  }
}
