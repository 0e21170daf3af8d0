import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '@delivery/platform/testing';
import { unusedPort } from '../services';
import { isRunning } from '../stack/processes';
import { type PartName, readState } from '../stack/state';
import { TcpProxy } from './tcp-proxy';

const execute = promisify(execFile);

/** Of a stack that runs already, or of the shell: the servers that are broken here are nobody else's. */
const notInherited = /^(KAFKA|DATABASE|S3|STS|IAM|GCS|AWS|STACK)_/;

/**
 * Broker, database and object stores of the harness's own, which may be stopped, killed and frozen. Services reach
 * Kafka and Postgres through proxies; the harness itself reaches all of them directly.
 */
export class Servers {
  private closed = false;

  private constructor(
    private readonly folder: string,
    private readonly own: NodeJS.ProcessEnv,
    /** Points the harness, and tests' helpers, at the servers. */
    readonly environment: Readonly<Record<string, string>>,
    readonly kafka: TcpProxy,
    readonly postgres: TcpProxy,
  ) {}

  /** Starts them, and lets this process's environment name them until they are closed. */
  static async open(): Promise<Servers> {
    const folder = mkdtempSync(join(tmpdir(), 'faults-'));
    chmodSync(folder, 0o755); // as a checkout is
    const listener = await unusedPort();
    const kafka = await TcpProxy.open(listener);
    const inherited = Object.entries(process.env).filter(([name]) => !notInherited.test(name));
    const own = {
      ...Object.fromEntries(inherited),
      STACK_DIR: folder,
      STACK_KAFKA_PROXIED: `${listener}:${kafka.port}`,
    };
    try {
      const environment: Record<string, string> = JSON.parse(await stack(own, 'up', '--json'));
      const postgres = await TcpProxy.open(Number(new URL(environment['DATABASE_URL'] ?? '').port));
      Object.assign(process.env, environment);
      return new Servers(folder, own, environment, kafka, postgres);
    } catch (error) {
      await kafka.close();
      await stack(own, 'reset');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** What services are told instead: the same servers, behind the proxies. */
  throughProxies = (environment: Readonly<Record<string, string>>): Record<string, string> => {
    const database = new URL(environment['DATABASE_URL'] ?? '');
    database.port = String(this.postgres.port);
    return { ...environment, KAFKA_BROKERS: `127.0.0.1:${this.kafka.port}`, DATABASE_URL: database.href };
  };

  /** Asks a server to stop, as an operator does, and waits. */
  async stop(name: PartName): Promise<void> {
    await this.end(name, name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  }

  /** `kill -9` of a server and of all processes it consists of. */
  async kill(name: PartName): Promise<void> {
    await this.end(name, 'SIGKILL');
  }

  /** It keeps its connections and does nothing any more, until it is thawed. */
  freeze(name: PartName): void {
    this.signal(name, 'SIGSTOP');
  }

  thaw(name: PartName): void {
    this.signal(name, 'SIGCONT');
  }

  /** Starts whatever does not run, where it was, with what it held; waits until it answers. */
  async start(): Promise<void> {
    if (this.closed) throw new Error('These servers are gone.');
    await stack(this.own, 'up');
  }

  /** Nothing is broken any more: what a scenario left broken would be found by the next one. */
  async repair(): Promise<void> {
    this.kafka.heal();
    this.postgres.heal();
    for (const name of ['kafka', 'postgres', 's3', 'gcs'] as const) this.thaw(name);
    await this.start();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.kafka.close(), this.postgres.close()]);
    await stack(this.own, 'reset');
    rmSync(this.folder, { recursive: true, force: true });
    for (const name of Object.keys(this.environment)) delete process.env[name];
  }

  private async end(name: PartName, signal: NodeJS.Signals): Promise<void> {
    const ref = readState(this.folder).parts[name];
    this.signal(name, signal);
    await waitFor(() => !isRunning(ref), { describe: `${name} to end by ${signal}`, timeoutMs: 60_000 });
  }

  private signal(name: PartName, signal: NodeJS.Signals): void {
    const ref = readState(this.folder).parts[name];
    if (!isRunning(ref)) return;
    const whole = signal === 'SIGSTOP' || signal === 'SIGCONT' || signal === 'SIGKILL';
    for (const pid of whole ? familyOf(ref.pid) : [ref.pid]) {
      try {
        process.kill(pid, signal);
      } catch {
        // a backend that ended by itself meanwhile
      }
    }
  }
}

/** Nothing takes a stack so long. */
const stackMs = 240_000;

async function stack(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, ['tools/run.cjs', 'tools/stack/main.ts', ...args], {
    env,
    timeout: stackMs,
  });
  return stdout;
}

/** A process and those it has started: Postgres is one per connection. */
function familyOf(parent: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = rows.map((row) => row.trim().split(/\s+/).map(Number)).filter(([, ppid]) => ppid === parent);
  return [parent, ...children.map(([pid = 0]) => pid)];
}
