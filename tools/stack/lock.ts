import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './errors';
import { isRunning, startTime } from './processes';

/** An owner holds the guard for microseconds only; one this old was killed in between. */
const guardLifetimeMs = 10_000;

/**
 * Runs `work` while no other process does so under the same lock file. A lock whose owner is gone counts for nothing.
 * @param onWait called once, when another process holds the lock.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: (owner: number) => void): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !take(path);) {
    const owner = ownerOf(path);
    if (owner !== undefined && !isRunning(owner)) {
      removeStale(path);
      continue;
    }
    if (owner !== undefined && !told) onWait?.(owner.pid);
    told = true;
    await delay(100);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Linked into place with its content: nobody ever reads an empty lock, not even after a `kill -9`. */
function take(path: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${process.pid} ${startTime(process.pid) ?? ''}`);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function ownerOf(path: string): { pid: number; started: string } | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const text = readFileSync(path, 'utf8');
    return { pid: Number.parseInt(text, 10), started: text.slice(text.indexOf(' ') + 1) };
  } catch {
    return undefined; // released between the two calls
  }
}

/** Of several that found the lock stale, one looks again and removes it: otherwise the second removes the first's own. */
function removeStale(path: string): void {
  const guard = `${path}.guard`;
  const age = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
  if (age !== undefined && Date.now() - age > guardLifetimeMs) rmSync(guard, { force: true });
  try {
    writeFileSync(guard, '', { flag: 'wx' });
  } catch {
    return; // another process is at it
  }
  const owner = ownerOf(path);
  if (owner !== undefined && !isRunning(owner)) rmSync(path, { force: true });
  rmSync(guard, { force: true });
}
