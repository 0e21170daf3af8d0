import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stackEnvironment } from '@delivery/platform/testing';
import type { GatewayWorld } from './gateway-world';

const app = join(__dirname, '..');
const loader = join(app, '..', '..', 'libs/platform/service/test/register-swc.cjs');

/** A gateway in a process of its own, on the database and the store of a world: it can be killed and measured. */
export class GatewayProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(world: GatewayWorld, environment: Record<string, string> = {}): Promise<GatewayProcess> {
    const child = spawn(process.execPath, ['--require', loader, join(app, 'main.ts')], {
      env: { ...stackEnvironment(), HTTP_PORT: '0', LOG_LEVEL: 'info', ...world.environment, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      const { msg, url }: { msg?: string; url?: string } = JSON.parse(line);
      if (msg !== 'the service is ready' || url === undefined) continue;
      lines.on('line', () => undefined).resume();
      child.stdout.resume();
      return new GatewayProcess(child, url);
    }
    throw new Error(`the gateway ended with ${child.exitCode}`);
  }

  /** A link of a world's gateway, at this one. */
  here(link: string): string {
    const { pathname, search } = new URL(link);
    return `${this.url}${pathname}${search}`;
  }

  /** Megabytes of memory that are its own now. */
  async rss(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }
}
