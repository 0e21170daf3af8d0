/** The part of a connection pool that is looked at. */
export interface PoolState {
  readonly busy: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  readonly limit: number;
}

/** Notices that callers wait for a connection all the time: too few connections, or some that are never given back. */
export class PoolWatch {
  private since: number | undefined;

  constructor(
    private readonly state: () => PoolState,
    private readonly limitSeconds: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get exhausted(): boolean {
    const { busy, waiting, limit } = this.state();
    return waiting > 0 && busy >= limit;
  }

  /** To be called every second: one look at which nobody waits begins the time anew. */
  look(): void {
    this.since = this.exhausted ? (this.since ?? this.now()) : undefined;
  }

  /** A sentence once callers have waited for too long. */
  fault(): string | undefined {
    if (this.since === undefined || !this.exhausted) return undefined;
    const seconds = Math.floor((this.now() - this.since) / 1000);
    if (seconds < this.limitSeconds) return undefined;
    const { waiting, limit } = this.state();
    return `All ${limit} connections to Postgres have been in use for ${seconds} s; callers that wait: ${waiting}.`;
  }
}
