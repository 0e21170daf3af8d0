import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type AccessEnd, type DownloadAccess, DownloadAccessStore } from '@delivery/analytics/store';
import type { Database } from '@delivery/platform/postgres';
import { counterSpec, redact, redactText } from '@delivery/platform/service';
import { Logger } from '@nestjs/common';
import { v7 } from 'uuid';

export type AccessEntry = Omit<DownloadAccess, 'id' | 'at' | 'times'>;
/** What a row is found by, to complete it. */
export type AccessRow = Pick<DownloadAccess, 'organizationId' | 'id'>;

export const accessEndsDropped = counterSpec(
  'download_access_ends_dropped_total',
  'Rows of the log of downloads whose end was not written down: too many waited for the database, or the process stopped.',
);

interface Waiting {
  readonly access: DownloadAccess;
  readonly done: PromiseWithResolvers<void>;
}

export interface AccessLogDeps {
  readonly database: Database;
  readonly dropped: { inc(count: number): void };
  /** Ends that may wait for the database. */
  readonly most?: number;
}

/** What one statement writes at most. */
const BATCH = 500;
const MOST_ENDS = 50_000;
const MAX_TEXT = 256;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;

/**
 * Writes down who asked for what before he is answered, several requests in one statement: while one is written, the next
 * gather. What is known only at the end is written again and again until it is written.
 */
export class AccessLog {
  private readonly logger = new Logger('access log');
  private readonly store = new DownloadAccessStore();
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private ends: AccessEnd[] = [];
  private ending: Promise<void> | undefined;
  private readonly open = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(private readonly deps: AccessLogDeps) {}

  /** Resolves when it is durable. @throws DatabaseError */
  note(entry: AccessEntry): Promise<AccessRow> {
    return this.insert(entry, v7());
  }

  /**
   * As {@link note}, but what is told again of the same thing is in the log already.
   * @param what - tells things apart, together with the time
   * @param at - milliseconds since 1970: where the row is in the order of the log
   */
  noteOnce(entry: AccessEntry, what: string, at: number): Promise<AccessRow> {
    const random = createHash('sha256').update(what).digest().subarray(0, 16);
    return this.insert(entry, v7({ msecs: at, random }));
  }

  /** Completes a row. Never fails: see {@link accessEndsDropped}. */
  complete(end: AccessEnd): void {
    if (this.ends.length >= (this.deps.most ?? MOST_ENDS)) return this.deps.dropped.inc(1);
    this.ends.push(end);
    this.ending ??= this.writeEnds().finally(() => (this.ending = undefined));
  }

  /** Completes a row when a download has ended. */
  completeWhen(row: AccessRow, ended: Promise<{ readonly bytes: number }>): void {
    const { organizationId, id } = row;
    const noted: Promise<void> = ended
      .then(({ bytes }) => this.complete({ organizationId, id, bytes }))
      .finally(() => this.open.delete(noted));
    this.open.add(noted);
  }

  /** Resolves when all that has begun has ended and is written down, or cannot be: then nobody is waited for. */
  async close(): Promise<void> {
    await Promise.all(this.open);
    this.closing.abort();
    while (this.writing !== undefined || this.ending !== undefined) await Promise.all([this.writing, this.ending]);
  }

  private async insert(entry: AccessEntry, id: string): Promise<AccessRow> {
    const { analyticsId, file, userAgent } = entry;
    const texts = {
      analyticsId: storable(analyticsId),
      file: storable(file),
      userAgent: userAgent && storable(userAgent),
    };
    const access = { ...entry, ...texts, id, at: new Date(), times: 1 };
    const done = Promise.withResolvers<void>();
    this.waiting.push({ access, done });
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    await done.promise;
    return access;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH);
      try {
        await this.store.insert(
          this.deps.database,
          batch.map(({ access }) => access),
        );
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
  }

  private async writeEnds(): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (this.ends.length > 0) {
      const batch = this.ends.slice(0, BATCH);
      try {
        await this.store.complete(this.deps.database, batch);
        this.ends.splice(0, batch.length);
        wait = FIRST_WAIT_MS;
      } catch (error) {
        this.logger.warn({ err: redact(error), ends: this.ends.length }, 'ends of downloads wait for the database');
        if (this.closing.signal.aborted) return this.deps.dropped.inc(this.ends.splice(0).length);
        await delay(wait, undefined, { signal: this.closing.signal }).catch(() => undefined);
        wait = Math.min(wait * 2, MAX_WAIT_MS);
      }
    }
  }
}

/** A key of this platform, wherever somebody put it. */
const API_KEY = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[\w-]+/gi;

/** Whatever was asked for, as something that Postgres takes, and without keys. */
function storable(text: string): string {
  const hidden = redactText(text.slice(0, 4 * MAX_TEXT)).replace(API_KEY, '$1.[hidden]');
  return hidden.slice(0, MAX_TEXT).toWellFormed().replaceAll('\0', '\uFFFD');
}
