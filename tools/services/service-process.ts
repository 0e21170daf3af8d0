import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeArgs } from '../build/node.cjs';
import { type ProcessRef, startTime } from '../stack/processes';
import { ServicesError } from './errors';
import type { ServiceName } from './services';

/** Exit code of a service whose configuration is wrong: another start would end the same way. */
export const badConfigExit = 78;

export interface ServiceOptions {
  name: ServiceName;
  port: number;
  /** Added to this process's own environment. */
  environment: Readonly<Record<string, string>>;
  /** File its output is appended to. */
  log: string;
  /** Whether it outlives this process and the terminal. */
  detached?: boolean;
}

const readyTimeoutMs = 120_000;
const stopTimeoutMs = 30_000;

/** Bundles the services into dist/, all in one process. @throws ServicesError `build_failed` */
export function buildServices(names: readonly ServiceName[]): void {
  const built = spawnSync(process.execPath, ['tools/build/main.cjs', ...names.map((name) => `apps/${name}/main.ts`)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new ServicesError('build_failed', `The services could not be built:\n${built.stderr}`);
}

/** One running process of a service. */
export class ServiceProcess {
  readonly url: string;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;

  /** Starts a built service; see {@link buildServices}. */
  constructor(readonly options: ServiceOptions) {
    const { name, port, environment, log, detached } = options;
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(dirname(log), { recursive: true });
    const output = openSync(log, 'a');
    const bundle = `dist/apps/${name}/main.cjs`;
    this.child = spawn(process.execPath, [...nodeArgs(bundle), bundle], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_DISABLE_COMPILE_CACHE: '1',
        ...environment,
        HTTP_PORT: String(port),
      },
      stdio: ['ignore', output, output],
      detached: detached ?? false,
    });
    closeSync(output);
    this.ended = new Promise((resolve) => {
      this.child.once('error', () => resolve({ code: null, signal: null }));
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Tells this process from a later one with the same pid. */
  get ref(): ProcessRef {
    return { pid: this.pid, started: startTime(this.pid) ?? '' };
  }

  /** Waits until it says it is ready. @throws ServicesError when it ends before, or takes too long */
  async ready(): Promise<this> {
    const deadline = Date.now() + readyTimeoutMs;
    while (Date.now() < deadline) {
      if (!this.running) break;
      const answer = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5000) }).catch(
        () => undefined,
      );
      if (answer?.ok && this.running) return this;
      await delay(50);
    }
    throw this.failure();
  }

  /** Asks it to stop and waits; ends it by force when it takes too long. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.child.kill('SIGKILL'), stopTimeoutMs);
    await this.ended;
    clearTimeout(force);
  }

  /** `kill -9`: nothing of it runs any more when this resolves. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Sends any signal, SIGSTOP and SIGCONT for example. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Lets this process end while the service goes on. */
  release(): void {
    this.child.unref();
  }

  private failure(): ServicesError {
    const { name, log } = this.options;
    const code = this.child.exitCode;
    const what = this.running ? `is not ready after ${readyTimeoutMs / 1000} s` : `ended with exit code ${code}`;
    return new ServicesError(
      code === badConfigExit ? 'bad_config' : 'not_ready',
      `${name} ${what}; the end of ${log}:\n${tailOf(log)}`,
    );
  }
}

export function tailOf(log: string, lines = 20): string {
  return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no log)';
}
