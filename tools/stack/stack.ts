import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from './download';
import { environmentLines, externalParts, stackEnvironment, variableOf, type StackEnvironment } from './environment';
import { StackError } from './errors';
import { checkExternal, withoutPassword } from './external';
import { withLock } from './lock';
import { parts, type Part } from './parts';
import { postgresShared } from './parts/postgres';
import { cacheDir, reportsDir, sharedDir, stackDir } from './paths';
import { processesOf, stopProcess } from './processes';
import { localSecrets } from './secrets';
import { answers, runs, startPart, stillAnswers, stopPart, type OpenStack } from './start-part';
import { readState, writeState, writeWhole, type PartName } from './state';
import { describeMissing, missingTools } from './tools';

export interface StackOptions {
  progress?: Progress;
}

export interface PartStatus {
  name: PartName;
  state: 'running' | 'not answering' | 'stopped' | 'external';
  /** Where clients find it, without passwords. */
  address: string;
}

/**
 * Starts whatever of the local stack is not running and waits until each part answers. Parts named by environment
 * variables are used as they are. May be called again and by several processes at once.
 * @throws StackError saying what to do: what is missing and how to get it, or the end of a part's log.
 */
export async function ensureStack(options: StackOptions = {}): Promise<StackEnvironment> {
  return whileOpen(options, async (stack) => {
    const external = externalParts();
    const own = parts.filter(({ name }) => !external.includes(name));
    // First: what does not answer is not worth starting the rest for.
    const before = stackEnvironment(stack.state.ports, stack.secrets, process.env);
    await Promise.all(external.map((name) => checkExternal(name, before)));

    await Promise.all(own.map((part) => adoptOrStop(part, stack)));
    await stopStrays(stack);
    if (lostContents(own, stack).length > 0) await beginAnew(own, stack);
    await startMissing(own, stack);

    const environment = stackEnvironment(stack.state.ports, stack.secrets, process.env);
    mkdirSync(reportsDir(stack.dir), { recursive: true });
    writeWhole(join(stack.dir, 'env'), environmentLines(environment), 0o600);
    return environment;
  });
}

/**
 * Stops all parts. What the object stores hold is in memory and gone with them, so the next start forgets topics and
 * database as well.
 */
export async function stopStack(options: StackOptions = {}): Promise<void> {
  if (!existsSync(stackDir())) return;
  await whileOpen(options, stopAll);
}

/** Stops all parts and removes what they hold, and their logs; secrets stay. */
export async function resetStack(options: StackOptions = {}): Promise<void> {
  if (!existsSync(stackDir())) return;
  await whileOpen(options, async (stack) => {
    await stopAll(stack);
    forget(stack);
    for (const path of [join(stack.dir, 'logs'), sharedDir(stack.dir)]) rmSync(path, { recursive: true, force: true });
  });
}

/** What runs and answers, as things are at this moment. */
export async function stackStatus(): Promise<PartStatus[]> {
  const dir = stackDir();
  const { parts: recorded } = readState(dir);
  const external = externalParts();
  return Promise.all(
    parts.map(async (part): Promise<PartStatus> => {
      const { name } = part;
      if (external.includes(name)) return { name, state: 'external', address: given(name) };
      const found = recorded[name];
      if (found === undefined || !(await runs(found))) return { name, state: 'stopped', address: '-' };
      const healthy = await answers(part, found.port, localSecrets(dir));
      return { name, state: healthy ? 'running' : 'not answering', address: urlOf(name, found.port) };
    }),
  );
}

/** The environment of the stack that runs, as the last start wrote it; undefined when there is none. */
export async function runningEnvironment(): Promise<string | undefined> {
  const dir = stackDir();
  const file = join(dir, 'env');
  const recorded = Object.values(readState(dir).parts);
  const allRun = (await Promise.all(recorded.map(runs))).every(Boolean);
  return allRun && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

async function whileOpen<T>(options: StackOptions, work: (stack: OpenStack) => Promise<T>): Promise<T> {
  const dir = stackDir();
  const progress = options.progress ?? (() => undefined);
  mkdirSync(dir, { recursive: true });
  const wait = (owner: number) => progress(`Waiting for another command that is at the local stack (pid ${owner}) ...`);
  const run = () => work({ dir, progress, state: readState(dir), secrets: localSecrets(dir) });
  return withLock(join(dir, 'lock'), run, wait);
}

async function adoptOrStop(part: Part, stack: OpenStack): Promise<void> {
  if (stack.state.parts[part.name] === undefined || (await stillAnswers(part, stack))) return;
  stack.progress(`${part.name}: does not run any more`);
  await stopPart(part, stack);
}

/**
 * What a command left that was killed before it could write down what it had started: parts, and work on their files.
 * Asked again until nothing is left, because what these had started themselves comes to light when they end.
 */
async function stopStrays({ dir, state, progress }: OpenStack): Promise<void> {
  const known = new Set(Object.values(state.parts).map(({ pid }) => pid));
  for (;;) {
    const strays = processesOf(dir).filter(({ pid }) => !known.has(pid));
    if (strays.length === 0) return;
    progress(`Stopping what a killed command left: ${strays.length}`);
    await Promise.all(strays.map((stray) => stopProcess(stray)));
  }
}

/** Parts whose contents went with their process, while others still refer to them. */
function lostContents(own: readonly Part[], { state }: OpenStack): Part[] {
  return own.filter(({ name }) => state.contents[name] === 'in memory' && state.parts[name] === undefined);
}

/**
 * All parts forget together: a database that remembers deliveries which nobody can find, or positions in topics that
 * are empty, is worse than an empty one.
 */
async function beginAnew(own: readonly Part[], stack: OpenStack): Promise<void> {
  const lost = lostContents(own, stack).map(({ name }) => name);
  stack.progress(
    `${lost.join(' and ')} stopped and kept nothing (contents are in memory): the whole stack begins empty, ` +
      'topics and database with the object stores.',
  );
  for (const name of externalParts()) stack.progress(`${variableOf[name]} names an external server, which keeps all.`);
  await Promise.all(own.map((part) => stopPart(part, stack)));
  forget(stack);
}

function forget({ dir, state }: OpenStack): void {
  for (const path of [join(dir, 'data'), reportsDir(dir)]) rmSync(path, { recursive: true, force: true });
  rmSync(postgresShared(dir), { recursive: true, force: true });
  state.contents = {};
  writeState(dir, state);
}

async function stopAll(stack: OpenStack): Promise<void> {
  await Promise.all(parts.map((part) => stopPart(part, stack)));
  await stopStrays(stack);
  rmSync(join(stack.dir, 'env'), { force: true });
  // Who stopped it has no clients left that look for it elsewhere than at the documented ports.
  stack.state.ports = {};
  writeState(stack.dir, stack.state);
}

async function startMissing(own: readonly Part[], stack: OpenStack): Promise<void> {
  const missing = own.filter(({ name }) => stack.state.parts[name] === undefined);
  if (missing.length === 0) return;
  rmSync(join(stack.dir, 'env'), { force: true }); // nobody is told of a stack that is not whole
  const native = !(await useContainers(missing));
  const prepared = await allOf(missing.map((part) => (native ? part.prepare(stack.progress) : undefined)));
  // Two checkouts that look for free ports at the same moment would find the same ones.
  const ports = join(cacheDir(), 'starting.lock');
  await withLock(ports, () => allOf(missing.map((part, index) => startPart(part, stack, prepared[index]))));
}

/** Waits for all, so that none goes on after the lock is released; throws all that went wrong at once. */
async function allOf<T>(work: (T | Promise<T>)[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const reasons = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  if (reasons.length === 0) return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (reasons.length === 1) throw reasons[0];
  const messages = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  throw new StackError('part_failed', messages.join('\n'), { cause: new AggregateError(reasons) });
}

async function useContainers(missing: readonly Part[]): Promise<boolean> {
  const mode = process.env['STACK_MODE'] || 'auto';
  if (mode !== 'auto' && mode !== 'native' && mode !== 'docker') {
    throw new StackError('bad_setting', `STACK_MODE is "${mode}"; it must be native, docker or auto.`);
  }
  if (mode === 'docker') {
    if (await dockerAnswers()) return true;
    throw new StackError('tools_missing', 'STACK_MODE is docker, but Docker does not answer. Try: docker info');
  }
  const absent = missingTools(missing.flatMap((part) => part.tools()));
  if (absent.length === 0) return false;
  if (mode === 'auto' && (await dockerAnswers())) return true;
  throw new StackError('tools_missing', describeMissing(absent));
}

async function dockerAnswers(): Promise<boolean> {
  return (await import('./containers.ts')).dockerAnswers();
}

function urlOf(name: PartName, port: number): string {
  const at = `127.0.0.1:${port}`;
  return { kafka: at, postgres: `postgres://postgres@${at}/postgres`, s3: `http://${at}`, gcs: `http://${at}` }[name];
}

function given(name: PartName): string {
  return withoutPassword(process.env[variableOf[name]] ?? '');
}
