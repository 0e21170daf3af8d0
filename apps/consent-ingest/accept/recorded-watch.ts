import { PositionStore } from '@delivery/ingest/store';
import type { PublishedAt } from '@delivery/platform/kafka';
import type { Sql } from '@delivery/platform/postgres';

interface Waiting {
  at: PublishedAt;
  settle(recorded: boolean): void;
}

const pollMs = 10;

/** Tells when the recorder has passed messages of a topic: one query for all who wait, none when nobody does. */
export class RecordedWatch {
  private readonly positions = new PositionStore();
  private readonly waiting = new Set<Waiting>();
  private polling = false;

  constructor(
    private readonly sql: Sql,
    private readonly consumer: string,
    private readonly topic: string,
  ) {}

  /** @returns whether the recorder passed this place within `timeoutMs`, however long a query takes. */
  passed(at: PublishedAt, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (recorded: boolean) => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve(recorded);
      };
      const waiting = { at, settle };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.waiting.add(waiting);
      if (!this.polling) void this.poll();
    });
  }

  private async poll(): Promise<void> {
    this.polling = true;
    while (this.waiting.size > 0) {
      // A database that does not answer makes nobody fail: what was accepted is answered as accepted.
      const positions = await this.positions.readAll(this.sql, this.consumer).catch(() => []);
      const next = new Map(positions.filter((p) => p.topic === this.topic).map((p) => [p.partition, p.nextOffset]));
      for (const { at, settle } of this.waiting) if ((next.get(at.partition) ?? 0n) > at.offset) settle(true);
      if (this.waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    this.polling = false;
  }
}
