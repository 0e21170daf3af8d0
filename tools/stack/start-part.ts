import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines, type Progress } from './download';
import { messageOf, StackError } from './errors';
import type { Part } from './parts';
import { freePort, portIsFree } from './ports';
import { isRunning, stopProcess } from './processes';
import type { LocalSecrets } from './secrets';
import { writeState, type RunningPart, type StackState } from './state';

/** The stack of one folder, for as long as this process holds its lock. */
export interface OpenStack {
  dir: string;
  state: StackState;
  secrets: LocalSecrets;
  progress: Progress;
}

const startTimeoutMs = 90_000;

/** A server that is busy is not dead: taking it for dead costs everybody the contents of the stack. */
const patienceMs = 60_000;

/**
 * Starts a part, writes it down and waits until it answers.
 * @param prepared what `part.prepare` answered, or undefined for a container.
 * @throws StackError `part_failed` with the end of its log; the part is stopped then.
 */
export async function startPart(part: Part, stack: OpenStack, prepared: string | undefined): Promise<void> {
  const { dir, state, secrets, progress } = stack;
  const began = Date.now();
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(state.ports[part.name] ?? part.port);
    const running = await begin(part, stack, port, prepared).catch((error: unknown) => {
      throw new StackError('part_failed', `${part.name} did not start: ${messageOf(error)}`, { cause: error });
    });
    state.parts[part.name] = running;
    state.ports[part.name] = port;
    writeState(dir, state);
    if (await answersWithin(part, running, secrets, startTimeoutMs)) break;
    const log = await endOfLog(part, running, dir);
    await stopPart(part, stack);
    // Somebody else took the port in the moment between looking and binding.
    if (attempt === 1 && !(await portIsFree(port))) continue;
    throw new StackError('part_failed', `${part.name} did not start; the end of its log:\n${log}`);
  }
  state.contents[part.name] = prepared === undefined ? 'in memory' : part.contents;
  writeState(dir, state);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  progress(`${part.name}: ready on 127.0.0.1:${state.ports[part.name]} (${seconds} s)`);
}

async function begin(part: Part, stack: OpenStack, port: number, prepared: string | undefined): Promise<RunningPart> {
  const { dir, secrets, progress } = stack;
  if (prepared === undefined) {
    progress(`${part.name}: starting a container of ${part.image} (pulled the first time)`);
    const { startContainer } = await containers();
    return { pid: 0, started: '', port, container: await startContainer(part, port, dir, secrets.DATABASE_PASSWORD) };
  }
  const data = join(dir, 'data', part.name);
  mkdirSync(data, { recursive: true });
  const log = logOf(part, dir);
  const process = await part.start({ prepared, data, log, port, secrets, progress, stack: dir });
  return { ...process, port };
}

/** Stops a part and forgets that it ran; its port and what it holds on disk stay. */
export async function stopPart(part: Part, { dir, state }: OpenStack): Promise<void> {
  const running = state.parts[part.name];
  if (running === undefined) return;
  if (running.container === undefined) await stopProcess(running, part.stopSignal);
  else await (await containers()).removeContainer(running.container);
  delete state.parts[part.name];
  writeState(dir, state);
}

/** Whether a part that was started earlier still works. */
export async function stillAnswers(part: Part, stack: OpenStack): Promise<boolean> {
  const running = stack.state.parts[part.name];
  if (running === undefined || !(await runs(running))) return false;
  if (await answers(part, running.port, stack.secrets)) return true;
  stack.progress(`${part.name}: does not answer; asking for up to ${patienceMs / 1000} s, for it may be busy ...`);
  return answersWithin(part, running, stack.secrets, patienceMs);
}

async function answersWithin(part: Part, running: RunningPart, secrets: LocalSecrets, ms: number): Promise<boolean> {
  for (const deadline = Date.now() + ms; Date.now() < deadline && (await runs(running)); await delay(100)) {
    if (await answers(part, running.port, secrets)) return await runs(running);
  }
  return false;
}

export async function answers(part: Part, port: number, secrets: LocalSecrets): Promise<boolean> {
  try {
    await part.probe(port, secrets);
    return true;
  } catch {
    return false;
  }
}

export async function runs(running: RunningPart): Promise<boolean> {
  if (running.container === undefined) return isRunning(running);
  return (await containers()).containerRuns(running.container);
}

export function logOf(part: Pick<Part, 'name'>, dir: string): string {
  return join(dir, 'logs', `${part.name}.log`);
}

/** The end of what a part said. */
export async function endOfLog(
  part: Pick<Part, 'name'>,
  running: RunningPart | undefined,
  dir: string,
  lines = 20,
): Promise<string> {
  if (running?.container === undefined) return lastLines(logOf(part, dir), lines);
  return (await (await containers()).containerLog(running.container, lines)).trimEnd();
}

/** Loaded when needed: most stacks are native, and no command on them should wait for Docker's libraries. */
function containers() {
  return import('./containers.ts');
}
