import type { DestinationDriver, ObjectWriter } from '@delivery/destinations/driver';
import type { Attempt, AttemptStore, RunProgress } from '@delivery/exports/store';
import type { Sql } from '@delivery/platform/postgres';
import { LeaseLost } from '../errors';

export interface LeaseOptions {
  readonly leaseSeconds: number;
  /** When the claim was sent, in this process's monotonic milliseconds: the lease began no earlier. */
  readonly claimedAt: number;
  /** Monotonic milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** The part of a lease after which an exporter that could not renew it stops by itself. */
const SAFE_PART = 0.8;

/**
 * The hold on a run: renewed in the background, with the progress made so far. When it is lost, `signal` aborts and
 * `assertHeld` throws. It also counts as lost when it could not be renewed for most of its time, whatever the reason:
 * another exporter may then have the run, and this one could not know.
 */
export class Lease {
  private readonly controller = new AbortController();
  /** Aborted when the run is lost, and when the exporter stops. */
  readonly signal: AbortSignal = this.controller.signal;
  private readonly now: () => number;
  private deadline: number;
  private timer: NodeJS.Timeout | undefined;
  private renewing = false;
  private closed = false;

  constructor(
    private readonly deps: { sql: Sql; attempts: AttemptStore },
    private readonly run: Attempt,
    private readonly options: LeaseOptions,
    private readonly progress: () => RunProgress,
  ) {
    this.now = options.now ?? (() => performance.now());
    this.deadline = this.deadlineFrom(options.claimedAt);
    this.schedule();
  }

  get leaseSeconds(): number {
    return this.options.leaseSeconds;
  }

  /**
   * Before each step that others can see. Looks at the clock itself, because after a pause of the whole process the
   * timers that should have stopped the work run as late as the work.
   *
   * @throws LeaseLost
   */
  assertHeld(): void {
    if (this.now() >= this.deadline) this.lose('it could not be renewed in time');
    if (this.lost !== undefined) throw this.lost;
    this.signal.throwIfAborted();
  }

  /** The row was changed in this attempt's name, which renewed the lease as of `sentAt`. */
  renewed(sentAt: number): void {
    this.deadline = Math.max(this.deadline, this.deadlineFrom(sentAt));
  }

  /** @returns what `change` did, when the row is still this attempt's. @throws LeaseLost when it is not */
  async changing(change: () => Promise<'held' | 'lost'>): Promise<void> {
    this.assertHeld();
    if ((await change()) === 'lost') this.lose('another attempt or nobody has it');
    this.signal.throwIfAborted();
  }

  /** Set when somebody else may have the run: whatever failed since then, failed because of it. */
  lost: LeaseLost | undefined;

  lose(why: string): void {
    this.lost ??= new LeaseLost(why);
    this.controller.abort(this.lost);
  }

  /** Ends the work while the run is still held, so that it can be given back. */
  stop(): void {
    this.controller.abort(new Error('the exporter stops'));
  }

  /** Ends renewing. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.closed || this.signal.aborted) return;
    const left = this.deadline - this.now();
    const quarter = (this.options.leaseSeconds * 1000) / 4;
    this.timer = setTimeout(() => this.tick(), Math.max(0, Math.min(quarter, left)));
  }

  private tick(): void {
    if (this.now() >= this.deadline) return this.lose('it could not be renewed in time');
    // The next look at the clock does not wait for an answer: a renewal may hang as long as it likes.
    if (!this.renewing) void this.renew();
    this.schedule();
  }

  private async renew(): Promise<void> {
    this.renewing = true;
    const sentAt = this.now();
    const { sql, attempts } = this.deps;
    try {
      const hold = await attempts.renewLease(sql, this.run, this.options.leaseSeconds, this.progress());
      if (hold === 'held') this.renewed(sentAt);
      else if (!this.closed) this.lose('another attempt or nobody has it');
    } catch {
      // Tried again with the next tick, until the deadline: an outage shorter than the lease does no harm.
    } finally {
      this.renewing = false;
    }
  }

  private deadlineFrom(sentAt: number): number {
    return sentAt + this.options.leaseSeconds * 1000 * SAFE_PART;
  }
}

/** A driver that writes and removes nothing once the lease is lost. Aborting what was begun is always possible. */
export function fenceDriver(driver: DestinationDriver, lease: Lease): DestinationDriver {
  const fenceWriter = (writer: ObjectWriter): ObjectWriter => ({
    write: async (chunk) => {
      lease.assertHeld();
      return writer.write(chunk);
    },
    finish: async () => {
      lease.assertHeld();
      return writer.finish();
    },
    abort: () => writer.abort(),
  });
  return {
    kind: driver.kind,
    check: (signal) => driver.check(signal),
    createObject: async (key, options) => {
      lease.assertHeld();
      return fenceWriter(await driver.createObject(key, options));
    },
    putObject: async (key, body, options) => {
      lease.assertHeld();
      return driver.putObject(key, body, options);
    },
    deleteObject: async (key, signal) => {
      lease.assertHeld();
      return driver.deleteObject(key, signal);
    },
    abortUnfinished: async (options) => {
      lease.assertHeld();
      return driver.abortUnfinished(options);
    },
    close: () => driver.close(),
  };
}
