import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from './backoff';
import { ServicesError } from './errors';
import { badConfigExit, ServiceProcess } from './service-process';
import type { ServiceName } from './services';

export interface SupervisorOptions {
  environment: Readonly<Record<string, string>>;
  /** Folder of the log files, one per service. */
  logs: string;
  /** Told in words what happens to the services. */
  say: (line: string) => void;
  /** Told whenever the set of processes has changed. */
  onChange: (running: readonly ServiceProcess[]) => void;
}

/** Keeps services running: starts them side by side, restarts those that crash, stops them all. */
export class Supervisor {
  private readonly running = new Map<ServiceName, ServiceProcess>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: SupervisorOptions) {}

  /** Resolves when all are ready. @throws ServicesError when one cannot be started; the others are stopped then */
  async start(ports: ReadonlyMap<ServiceName, number>): Promise<void> {
    const started = [...ports].map(async ([name, port]) => {
      const began = Date.now();
      const service = this.launch(name, port);
      await service.ready();
      this.options.say(`${name}: ready on ${service.url} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
      void this.watch(service, began);
    });
    const failed = (await Promise.allSettled(started)).find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    await this.stop();
    throw failed.reason;
  }

  urlOf(name: ServiceName): string {
    const service = this.running.get(name);
    if (service === undefined) throw new ServicesError('not_ready', `${name} is not running`);
    return service.url;
  }

  /** Stops all services, each in its own order. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.running.values()].map((service) => service.stop()));
    this.running.clear();
    this.options.onChange([]);
  }

  /** Lets this process end while the services go on. */
  release(): void {
    this.stopping.abort();
    for (const service of this.running.values()) service.release();
  }

  private launch(name: ServiceName, port: number): ServiceProcess {
    const { environment, logs } = this.options;
    const service = new ServiceProcess({ name, port, environment, log: join(logs, `${name}.log`), detached: true });
    this.running.set(name, service);
    this.options.onChange([...this.running.values()]);
    return service;
  }

  private relaunch(name: ServiceName, port: number): ServiceProcess {
    const service = this.launch(name, port);
    service.ready().then(
      () => this.options.say(`${name}: ready again`),
      () => undefined, // it ended; whoever watches tells of it
    );
    return service;
  }

  private async watch(first: ServiceProcess, firstBegan: number): Promise<void> {
    const { name, port, log } = first.options;
    const backoff = new Backoff();
    for (let service = first, began = firstBegan; ; began = Date.now(), service = this.relaunch(name, port)) {
      const { code, signal } = await service.ended;
      if (this.stopping.signal.aborted) return;
      const how = signal === null ? `exit code ${code}` : signal;
      if (code === badConfigExit) {
        this.options.say(`${name}: its configuration is wrong (see ${log}); it is not started again`);
        return;
      }
      const pause = backoff.next(Date.now() - began);
      this.options.say(`${name}: ended (${how}), starts again in ${pause / 1000} s; its log: ${log}`);
      const aborted = await delay(pause, false, { signal: this.stopping.signal }).catch(() => true);
      if (aborted) return;
    }
  }
}
