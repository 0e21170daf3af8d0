import { v7 } from 'uuid';
import { type DownloadAccess, DownloadAccessStore } from '@delivery/analytics/store';
import type { Database } from '@delivery/platform/postgres';

type Entry = Omit<DownloadAccess, 'id' | 'at'>;

interface Waiting {
  readonly access: DownloadAccess;
  readonly done: PromiseWithResolvers<void>;
}

/** What one statement writes at most. */
const BATCH = 500;
const MAX_TEXT = 256;

/** Writes down who asked for what, several requests in one statement: while one is written, the next gather. */
export class AccessLog {
  private readonly store = new DownloadAccessStore();
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private readonly open = new Set<Promise<void>>();

  constructor(private readonly database: Database) {}

  /** Resolves when it is durable. @throws DatabaseError */
  note(entry: Entry): Promise<void> {
    const access = {
      ...entry,
      id: v7(),
      at: new Date(),
      analyticsId: storable(entry.analyticsId),
      file: storable(entry.file),
      userAgent: entry.userAgent && storable(entry.userAgent),
    };
    const done = Promise.withResolvers<void>();
    this.waiting.push({ access, done });
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return done.promise;
  }

  /** Notes something when it has ended. @param failed - told when it could not be written down */
  noteWhen(ended: Promise<Entry>, failed: (error: unknown) => void): void {
    const noted: Promise<void> = ended
      .then((entry) => this.note(entry))
      .catch(failed)
      .finally(() => this.open.delete(noted));
    this.open.add(noted);
  }

  /** Resolves when all that has begun has ended and is written down. */
  async idle(): Promise<void> {
    await Promise.all(this.open);
    while (this.writing !== undefined) await this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH);
      try {
        await this.store.insert(
          this.database,
          batch.map(({ access }) => access),
        );
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
  }
}

/** Whatever was asked for, as something that Postgres takes. */
function storable(text: string): string {
  return text.slice(0, MAX_TEXT).toWellFormed().replaceAll('\0', '\uFFFD');
}
