import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs';
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
  /** Marks the process as one of the stack in this folder. */
  stack: string;
  uid?: number;
  gid?: number;
}

const marker = 'CONSENT_DELIVERY_STACK';

/** The environment for whatever works on a stack's files, so that `processesOf` finds it when its owner is killed. */
export function markedEnvironment(stack: string): NodeJS.ProcessEnv {
  return { ...process.env, [marker]: stack };
}

/** Starts a process that outlives this one; its output goes to the log file, what an earlier one said beside it. */
export function startDetached(command: string, args: readonly string[], options: DetachedOptions): ProcessRef {
  const { log, cwd, stack, ...user } = options;
  mkdirSync(dirname(log), { recursive: true });
  if (existsSync(log)) renameSync(log, log.replace(/\.log$/, '.previous.log'));
  const output = openSync(log, 'a');
  const env = markedEnvironment(stack);
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output], ...user });
  closeSync(output);
  child.on('error', () => undefined); // reported below: without a pid it did not start
  child.unref();
  if (child.pid === undefined) throw new Error(`${command} cannot be run`);
  return { pid: child.pid, started: startTime(child.pid) ?? '' };
}

/** When a process started, in a form that differs for every process; undefined when there is none. */
export function startTime(pid: number): string | undefined {
  if (!(pid > 0)) return undefined;
  const stat = statOf(pid);
  if (stat !== undefined) return stat.state === 'Z' ? undefined : stat.started;
  if (existsSync('/proc/self/stat')) return undefined;
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.status === 0 ? ps.stdout.trim() : undefined;
}

/** How a process was started, its arguments separated by spaces; empty when there is none. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return `${spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? ''} `;
  }
}

/** See proc(5): the name, in parentheses, may itself hold spaces and parentheses. */
function statOf(pid: number): { state?: string; parent: number; started?: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { ...(state && { state }), parent: Number(parent), ...(rest[17] && { started: rest[17] }) };
  } catch {
    return undefined;
  }
}

export function isRunning(ref: ProcessRef | undefined): ref is ProcessRef {
  return ref !== undefined && startTime(ref.pid) === ref.started;
}

/**
 * Processes that were started for a stack, without those that these started themselves; found by a mark in their
 * environment. A command that is killed between starting a process and writing it down leaves one that nothing else
 * knows of. Empty where there is no /proc.
 */
export function processesOf(stack: string): ProcessRef[] {
  const mark = `${marker}=${stack}`;
  const marked = pids().filter((pid) => environmentOf(pid).includes(mark));
  return marked.flatMap((pid) => {
    const stat = statOf(pid);
    if (stat?.started === undefined || marked.includes(stat.parent)) return [];
    return [{ pid, started: stat.started }];
  });
}

function pids(): number[] {
  return existsSync('/proc/self/stat') ? readdirSync('/proc').map(Number).filter(Number.isInteger) : [];
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone, or somebody else's
  }
}

/** Ends a process and what it started: politely, then not. */
export async function stopProcess(ref: ProcessRef, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!isRunning(ref)) return;
  kill(ref.pid, signal);
  for (let waited = 0; waited < 10_000 && isRunning(ref); waited += 50) await delay(50);
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
