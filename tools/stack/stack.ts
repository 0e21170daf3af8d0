import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerName, containerRuns, docker, dockerAnswers, dockerRunArgs } from './containers';
import type { Progress } from './download';
import { StackError } from './errors';
import { externalParts, probeExternal, stackEnvironment, type StackEnvironment } from './environment';
import { missingTools, parts, postgresShared, type Part, type PartContext } from './parts';
import { stackDir } from './paths';
import { freePort } from './ports';
import { isRunning, stopProcess } from './processes';
import {
  localSecrets,
  readState,
  withLock,
  writeState,
  writeWhole,
  type PartName,
  type PartState,
  type StackState,
} from './state';

export interface PartStatus {
  name: PartName;
  running: boolean;
  healthy: boolean;
  address: string;
  external: boolean;
}

const startTimeoutMs = 90_000;

/**
 * Starts whatever of the local stack is not running and waits until each part answers. Parts named by environment
 * variables are used as they are. May be called again and by several processes at once.
 * @throws StackError with what is missing and how to get it.
 */
export async function ensureStack(options: { progress?: Progress } = {}): Promise<StackEnvironment> {
  const dir = stackDir();
  const progress = options.progress ?? (() => undefined);
  mkdirSync(dir, { recursive: true });
  return withLock(join(dir, 'lock'), async () => {
    const secrets = localSecrets(dir);
    const external = externalParts();
    const own = parts.filter((part) => !external.has(part.name));
    await settleRemains(dir, own, secrets, progress);
    const state = readState(dir);
    const absent = own.filter((part) => state.parts[part.name] === undefined);
    const useDocker = absent.length > 0 && chooseDocker(absent);
    const started = await Promise.allSettled(
      absent.map((part) => startPart(part, { dir, secrets, progress, useDocker })),
    );
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const environment = stackEnvironment(readState(dir), secrets, process.env);
    await checkExternal(external, environment);
    writeWhole(
      join(dir, 'env'),
      `${Object.entries(environment)
        .map(([k, v]) => `${k}=${v}`)
        .join('\n')}\n`,
      0o600,
    );
    return environment;
  });
}

/**
 * What an earlier start left: healthy parts stay, others are stopped. The object stores keep nothing when they stop, so
 * when one of them is gone all parts begin anew together; a database that remembers deliveries nobody can find is worse
 * than an empty one.
 */
async function settleRemains(
  dir: string,
  own: readonly Part[],
  secrets: Record<string, string>,
  progress: Progress,
): Promise<void> {
  const state = readState(dir);
  const known = own.filter((part) => state.parts[part.name] !== undefined);
  const lost: PartName[] = [];
  for (const part of known) {
    const ref = state.parts[part.name];
    if (ref && runs(ref) && (await healthy(part, ref.port, secrets))) continue;
    lost.push(part.name);
    if (ref) await stopPart(ref);
    delete state.parts[part.name];
  }
  if (lost.length > 0) progress(`not running any more: ${lost.join(', ')}`);
  writeState(dir, state);
  const forgetful = own.filter(({ name }) => name === 's3' || name === 'gcs');
  if (forgetful.some((part) => state.parts[part.name] === undefined) && hasData(dir)) {
    progress('the object stores were stopped and forgot their contents: topics and database begin anew with them');
    await forget(dir);
  }
}

async function startPart(
  part: Part,
  options: { dir: string; secrets: Record<string, string>; progress: Progress; useDocker: boolean },
): Promise<void> {
  const { dir, secrets, progress } = options;
  const began = Date.now();
  const port = await freePort(part.port);
  const log = join(dir, 'logs', `${part.name}.log`);
  const context: PartContext = { data: join(dir, 'data', part.name), log, port, secrets, progress, stack: dir };
  const ref: PartState = options.useDocker
    ? startContainer(part, port, dir, secrets)
    : { ...(await part.start(context)), port };
  const state = readState(dir);
  state.parts[part.name] = ref;
  writeState(dir, state);
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (await healthy(part, port, secrets)) break;
    if (!runs(ref) || Date.now() > deadline) throw startFailure(part, log);
    await delay(150);
  }
  progress(`${part.name}: ready on 127.0.0.1:${port} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

function startFailure(part: Part, log: string): StackError {
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n') : '(no log)';
  return new StackError('part_failed', `${part.name} did not start; the end of ${log}:\n${tail}`);
}

function chooseDocker(absent: readonly Part[]): boolean {
  const mode = process.env['STACK_MODE'] ?? 'auto';
  if (mode === 'docker') return true;
  const missing = missingTools(absent);
  if (missing.length === 0) return false;
  if (mode === 'auto' && dockerAnswers()) return true;
  throw new StackError(
    'tools_missing',
    `The local stack needs what this machine lacks:\n  ${missing.join('\n  ')}\nOr start Docker, or name servers you have: KAFKA_BROKERS, DATABASE_URL, S3_ENDPOINT, GCS_ENDPOINT.`,
  );
}

function startContainer(part: Part, port: number, dir: string, secrets: Record<string, string>): PartState {
  const id = createHash('sha256').update(dir).digest('hex').slice(0, 8);
  docker(dockerRunArgs(part, port, id), { POSTGRES_PASSWORD: secrets['DATABASE_PASSWORD'] ?? '' });
  return { pid: 0, started: '', port, container: containerName(part.name, id) };
}

function runs(ref: PartState): boolean {
  return ref.container === undefined ? isRunning(ref) : containerRuns(ref.container);
}

async function stopPart(ref: PartState): Promise<void> {
  if (ref.container !== undefined) docker(['rm', '--force', ref.container]);
  else await stopProcess(ref);
}

async function healthy(part: Part, port: number, secrets: Record<string, string>): Promise<boolean> {
  try {
    await part.probe(port, secrets);
    return true;
  } catch {
    return false;
  }
}

async function checkExternal(external: ReadonlyMap<PartName, string>, environment: StackEnvironment): Promise<void> {
  for (const [name, variable] of external) {
    await probeExternal(name, environment).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new StackError('external_unreachable', `${variable} is set, but ${name} does not answer there: ${why}`);
    });
  }
}

/** Stops all parts. Their contents are forgotten with the next start, all together. */
export async function stopStack(): Promise<void> {
  const dir = stackDir();
  if (!existsSync(dir)) return;
  await withLock(join(dir, 'lock'), async () => {
    const state = readState(dir);
    await Promise.all(Object.values(state.parts).map(stopPart));
    writeState(dir, { parts: {} });
    rmSync(join(dir, 'env'), { force: true });
  });
}

/** Stops all parts and removes their data. */
export async function resetStack(): Promise<void> {
  await stopStack();
  await forget(stackDir());
}

async function forget(dir: string): Promise<void> {
  const state = readState(dir);
  await Promise.all(Object.values(state.parts).map(stopPart));
  writeState(dir, { parts: {} } satisfies StackState);
  rmSync(join(dir, 'data'), { recursive: true, force: true });
  rmSync(postgresShared(dir), { recursive: true, force: true });
}

function hasData(dir: string): boolean {
  return existsSync(join(dir, 'data'));
}

export async function stackStatus(): Promise<PartStatus[]> {
  const dir = stackDir();
  const state = readState(dir);
  const secrets = existsSync(join(dir, 'secrets.json')) ? localSecrets(dir) : {};
  const external = externalParts();
  return Promise.all(
    parts.map(async (part) => {
      const variable = external.get(part.name);
      const ref = state.parts[part.name];
      if (variable !== undefined)
        return { name: part.name, running: true, healthy: true, address: process.env[variable] ?? '', external: true };
      const running = ref !== undefined && runs(ref);
      const ok = running && (await healthy(part, ref.port, secrets));
      return { name: part.name, running, healthy: ok, address: ref ? `127.0.0.1:${ref.port}` : '-', external: false };
    }),
  );
}
