import { Injectable } from '@nestjs/common';

/** What a probe is answered with: `unavailable` goes out as 503. */
export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  /** Set while the service as a whole is not ready, whatever its checks say. */
  readonly reason?: string;
  readonly checks: Readonly<Record<string, { readonly status: 'ok' | 'failing'; readonly reason?: string }>>;
}

export interface HealthCheckOptions {
  /** True for what only a restart repairs (a stopped loop): then `/health/live` asks it too. Default false. */
  readonly liveness?: boolean;
}

interface Check {
  readonly run: () => Promise<void> | void;
  readonly liveness: boolean;
  /** Why it failed last, for the next time that it takes too long: an outage makes most checks slow before they fail. */
  reason?: string;
}

/** A check that hangs is as bad as one that fails: the probe must be answered within its own timeout. */
const CHECK_TIMEOUT_MS = 2_000;

/** The checks behind `/health/ready` and `/health/live`. */
@Injectable()
export class HealthChecks {
  private readonly checks = new Map<string, Check>();
  private state: 'starting' | 'ready' | 'stopping' = 'starting';

  /**
   * Adds a check.
   *
   * @param name - what is checked, as shown in the answer: `database`, `kafka`, `recorder`
   * @param check - throws (or rejects) with the reason in words while the service must get no work; must be cheap
   * @returns removes the check again
   */
  register(name: string, check: () => Promise<void> | void, options: HealthCheckOptions = {}): () => void {
    if (this.checks.has(name)) throw new Error(`A health check named ${name} is registered already`);
    const entry: Check = { run: check, liveness: options.liveness ?? false };
    this.checks.set(name, entry);
    return () => {
      if (this.checks.get(name) === entry) this.checks.delete(name);
    };
  }

  /** Called by the service itself when it has started, and first thing when it stops. */
  become(state: 'ready' | 'stopping'): void {
    this.state = state;
  }

  /** Whether the process should get work. */
  async readiness(): Promise<HealthReport> {
    const report = await this.run([...this.checks]);
    return this.state === 'ready' ? report : { ...report, status: 'unavailable', reason: this.state };
  }

  /** Whether the process is of any use; stays green while starting and stopping. */
  async liveness(): Promise<HealthReport> {
    return this.run([...this.checks].filter(([, check]) => check.liveness));
  }

  private async run(checks: readonly [string, Check][]): Promise<HealthReport> {
    const outcomes = await Promise.all(checks.map(async ([name, check]) => [name, await outcomeOf(check)] as const));
    const failing = outcomes.some(([, outcome]) => outcome.status === 'failing');
    return { status: failing ? 'unavailable' : 'ok', checks: Object.fromEntries(outcomes) };
  }
}

async function outcomeOf(check: Check): Promise<{ status: 'ok' | 'failing'; reason?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(lateReason(check))), CHECK_TIMEOUT_MS);
  });
  const work = Promise.resolve().then(check.run);
  work.then(
    () => delete check.reason,
    (error: unknown) => (check.reason = reasonOf(error)),
  );
  try {
    await Promise.race([work, timeout]);
    return { status: 'ok' };
  } catch (error) {
    return { status: 'failing', reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

function lateReason({ reason }: Check): string {
  return `no answer within ${CHECK_TIMEOUT_MS} ms${reason === undefined ? '' : ` (before: ${reason})`}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
