import { PositionStore } from '@delivery/ingest/store';
import type { PublishedAt } from '@delivery/platform/kafka';
import type { Sql } from '@delivery/platform/postgres';

interface Waiting {
  at: PublishedAt;
  until: number;
  resolve(recorded: boolean): void;
}

const pollMs = 10;

/** Tells when the recorder has passed messages of a topic: one query for all who wait, none when nobody does. */
export class RecordedWatch {
  private readonly positions = new PositionStore();
  private waiting: Waiting[] = [];
  private polling = false;

  constructor(
    private readonly sql: Sql,
    private readonly consumer: string,
    private readonly topic: string,
  ) {}

  /** @returns whether the recorder passed this place within `timeoutMs`. */
  passed(at: PublishedAt, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.waiting.push({ at, until: Date.now() + timeoutMs, resolve });
      if (!this.polling) void this.poll();
    });
  }

  private async poll(): Promise<void> {
    this.polling = true;
    while (this.waiting.length > 0) {
      // A database that does not answer makes nobody fail: what was accepted is answered as accepted.
      const positions = await this.positions.readAll(this.sql, this.consumer).catch(() => []);
      const next = new Map(positions.filter((p) => p.topic === this.topic).map((p) => [p.partition, p.nextOffset]));
      const now = Date.now();
      this.waiting = this.waiting.filter(({ at, until, resolve }) => {
        const recorded = (next.get(at.partition) ?? 0n) > at.offset;
        if (recorded || now >= until) resolve(recorded);
        return !recorded && now < until;
      });
      if (this.waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    this.polling = false;
  }
}
