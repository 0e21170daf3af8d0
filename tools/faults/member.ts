import { type ServiceName, ServicesError, unusedPort } from '../services';
import type { ServiceProcess } from '../services';
import { untilReady, type World } from '../world';

/** One replica of a service: ended however and started again, its clients find it where it was. */
export class Member {
  private process: ServiceProcess | undefined;
  private awaited = false;

  private constructor(
    private readonly world: World,
    readonly name: ServiceName,
    private readonly environment: Record<string, string>,
    private readonly port: number,
    private readonly onEnd: (how: string) => void,
  ) {}

  /** @param onEnd told when it ends by itself */
  static async start(
    world: World,
    name: ServiceName,
    environment: Record<string, string>,
    onEnd: (how: string) => void,
  ): Promise<Member> {
    const member = new Member(world, name, environment, await unusedPort(), onEnd);
    await member.start();
    return member;
  }

  get url(): string {
    return this.running.url;
  }

  get pid(): number {
    return this.running.pid;
  }

  /** What it has written lately. */
  get log(): string {
    return this.world.logOf(this.running);
  }

  /** Starts it again, and waits until it is ready. */
  async start(): Promise<void> {
    const started = await untilReady(() => {
      this.process = this.world.launch(this.name, this.environment, this.port);
      this.awaited = false;
      return this.process;
    });
    void started.ended.then(({ code, signal }) => {
      if (!this.awaited) this.onEnd(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`);
    });
  }

  async kill(): Promise<void> {
    this.awaited = true;
    await this.running.kill();
  }

  async stop(): Promise<void> {
    this.awaited = true;
    await this.running.stop();
  }

  signal(signal: NodeJS.Signals): void {
    this.running.signal(signal);
  }

  /** Nothing that happens to it from now on is of interest. */
  abandon(): void {
    this.awaited = true;
  }

  private get running(): ServiceProcess {
    if (this.process === undefined) throw new ServicesError('not_ready', `${this.name} was never started`);
    return this.process;
  }
}
