import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The workspace: entries run with it as their working directory (tools/run.cjs), and so do tests. */
export const workspace = process.cwd();

/** State of this checkout's stack: logs, data, secrets. */
export function stackDir(env = process.env): string {
  return resolve(env['STACK_DIR'] || join(workspace, '.stack'));
}

/** Where the services of a stack keep report files. @param dir - state of the stack */
export function reportsDir(dir: string): string {
  return join(dir, 'reports');
}

/** Downloads, shared by all checkouts of a user. */
export function cacheDir(env = process.env): string {
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return resolve(env['CONSENT_DELIVERY_CACHE'] || join(base, 'consent-delivery'));
}

/** Whether every user may pass through all folders on the way to a path. */
export function reachableByAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const mode = statSync(at, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** A short name for a state folder, for things that live outside it. */
export function stackId(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 12);
}

/** A folder outside the checkout for what another user must reach; the same for every call with one state folder. */
export function sharedDir(dir: string): string {
  return join(tmpdir(), `consent-delivery-${stackId(dir)}`);
}
