/**
 * Heartbeats while a batch is handled, however long that takes. The first failure ends it: the group goes on without
 * this member, so the batch is not to be finished here.
 */
export class Heartbeats {
  /** What the group answered instead of taking the heartbeat. */
  failure: unknown;
  private readonly timer: NodeJS.Timeout;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly send: () => Promise<void>,
    everyMs: number,
  ) {
    this.timer = setInterval(() => void this.beat().catch(() => undefined), everyMs);
  }

  /** @throws what the group answered. */
  async beat(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.last = this.send();
    try {
      await this.last;
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  /** Resolves when none is under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.last.catch(() => undefined);
  }
}
