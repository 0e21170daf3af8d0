import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Database } from '@delivery/platform/postgres';

/** CPU seconds and memory of a process, from /proc (Linux). */
export function processUsage(pid: number): { cpuSeconds: number; peakRssMb: number; rssMb: number } {
  const { user, system } = times(pid);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: user + system,
    peakRssMb: Math.round(kb('VmHWM') / 1024),
    rssMb: Math.round(kb('VmRSS') / 1024),
  };
}

/** Seconds of a process and of its ended children, and its parent. */
function times(pid: number | 'self') {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields
    .slice(11, 15)
    .map((ticks) => Number(ticks) / 100);
  return { user, system, ended: childUser + childSystem, parent: Number(fields[1]) };
}

export interface CommandUsage {
  stdout: string;
  seconds: number;
  /** Of the command and everything it started. */
  cpuSeconds: number;
  /** Of all its processes at one moment. */
  peakRssMb: number;
}

/** Runs a command to its end and measures it with all that it starts. @throws when it fails, with what it printed */
export async function runCommand(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<CommandUsage> {
  const before = times('self').ended;
  const began = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  let peakRssMb = 0;
  const watch = setInterval(() => (peakRssMb = Math.max(peakRssMb, rssOfTree(child.pid ?? 0))), 50);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearInterval(watch));
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${output.stderr.slice(-2000)}`);
  const seconds = (performance.now() - began) / 1000;
  return { stdout: output.stdout, seconds, cpuSeconds: times('self').ended - before, peakRssMb };
}

function rssOfTree(root: number): number {
  const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]));
  const inTree = (pid: number | undefined): boolean =>
    pid === root || (pid !== undefined && pid > 1 && inTree(parents.get(pid)));
  let sum = 0;
  for (const pid of parents.keys()) {
    if (inTree(pid)) sum += ifThere(() => processUsage(pid).rssMb) ?? 0;
  }
  return sum;
}

/** CPU seconds of a whole Postgres server so far, ended sessions included. 0 when it is on another machine. */
export async function postgresCpuSeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const server = ifThere(() => times(row?.pid ?? 0).parent);
  if (server === undefined) return 0;
  const all = [server, ...processes().filter((pid) => parentOf(pid) === server)];
  const live = all.reduce((sum, pid) => sum + (ifThere(() => processUsage(pid).cpuSeconds) ?? 0), 0);
  return live + (ifThere(() => times(server).ended) ?? 0);
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  return ifThere(() => times(pid).parent);
}

/** Processes come and go while they are looked at. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** What the figures were measured on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
