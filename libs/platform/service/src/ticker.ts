import { setTimeout as delay } from 'node:timers/promises';

/** One thing to do regularly. Any number of processes may do it at once; each call does a bounded amount. */
export interface Task {
  readonly name: string;
  readonly everySeconds: number;
  /** What one call may take where that is long: it is neither late nor stuck before. */
  readonly callSeconds?: number;
  /** Repeatable. What one call leaves undone, the next one does. */
  run(signal: AbortSignal): Promise<void>;
}

export interface TickObserver {
  ended(task: string, outcome: 'ok' | 'failed', seconds: number): void;
  failed(task: string, error: unknown): void;
}

/** How many periods (and at least how many seconds) a task may be without success before the process is of no use. */
const STUCK_PERIODS = 20;
const STUCK_SECONDS = 120;

/** Calls each task again and again, never twice at once; tasks do not wait for each other. */
export class Ticker {
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[] = [];
  /** When a call of a task last came to its end, well or not: a call that hangs is what a restart repairs. */
  private readonly lastEnds = new Map<string, number>();
  private readonly lastSuccesses = new Map<string, number>();
  private readonly lastErrors = new Map<string, string>();

  constructor(
    private readonly tasks: readonly Task[],
    private readonly observer: TickObserver,
  ) {}

  start(): void {
    for (const task of this.tasks) {
      this.lastEnds.set(task.name, performance.now());
      this.lastSuccesses.set(task.name, performance.now());
      this.loops.push(this.loop(task));
    }
  }

  /** Tasks one of whose calls has not come back for far too long. */
  stuck(): string[] {
    return this.tasks.flatMap(({ name, everySeconds, callSeconds = 0 }) => {
      const seconds = (performance.now() - (this.lastEnds.get(name) ?? performance.now())) / 1000;
      return seconds > Math.max(STUCK_SECONDS, STUCK_PERIODS * everySeconds, callSeconds) ? [name] : [];
    });
  }

  /** Sentences for the tasks whose work has not been done for so long, beside the time between two calls. */
  stalled(limitSeconds: number): string[] {
    return this.tasks.flatMap(({ name, everySeconds, callSeconds = 0 }) => {
      const seconds = (performance.now() - (this.lastSuccesses.get(name) ?? performance.now())) / 1000;
      const error = this.lastErrors.get(name);
      const allowed = error === undefined ? Math.max(limitSeconds, callSeconds) : limitSeconds;
      if (seconds < everySeconds + allowed) return [];
      const why = error ?? 'its call has not come back';
      return [`Task ${name} has not been done for ${Math.round(seconds)} s: ${why}.`];
    });
  }

  /** Resolves when the calls in hand are over. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  private async loop(task: Task): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.once(task, signal);
      await delay(task.everySeconds * 1000, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async once(task: Task, signal: AbortSignal): Promise<void> {
    const begin = performance.now();
    let outcome: 'ok' | 'failed' = 'ok';
    try {
      await task.run(signal);
      this.lastSuccesses.set(task.name, performance.now());
      this.lastErrors.delete(task.name);
    } catch (error) {
      outcome = 'failed';
      this.lastErrors.set(task.name, error instanceof Error ? error.message : String(error));
      this.observer.failed(task.name, error);
    }
    this.lastEnds.set(task.name, performance.now());
    this.observer.ended(task.name, outcome, (performance.now() - begin) / 1000);
  }
}
