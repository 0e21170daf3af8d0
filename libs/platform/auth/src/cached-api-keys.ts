import type { ApiKeyLookup, ApiKeyRecord } from './api-keys';

export interface CacheOptions {
  /** How long an answer is used, found or not; a disabled key is accepted at most this much longer. */
  readonly lifetimeMs?: number;
  /** Most answers held: ids that do not exist can be asked for without end. */
  readonly size?: number;
  readonly now?: () => number;
}

interface Entry {
  readonly until: number;
  readonly answer: Promise<ApiKeyRecord | undefined>;
}

/** Spares the database one query per request; requests for one key at one time share one query. */
export class CachedApiKeys implements ApiKeyLookup {
  private readonly entries = new Map<string, Entry>();
  private readonly lifetimeMs: number;
  private readonly size: number;
  private readonly now: () => number;

  constructor(
    private readonly lookup: ApiKeyLookup,
    { lifetimeMs = 5_000, size = 10_000, now = () => performance.now() }: CacheOptions = {},
  ) {
    this.lifetimeMs = lifetimeMs;
    this.size = size;
    this.now = now;
  }

  find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const known = this.entries.get(keyId);
    if (known !== undefined && known.until > this.now()) return known.answer;
    const entry: Entry = { until: this.now() + this.lifetimeMs, answer: this.lookup.find(keyId) };
    // A failed query says nothing about the key: the next request asks again.
    entry.answer.catch(() => {
      if (this.entries.get(keyId) === entry) this.entries.delete(keyId);
    });
    this.remember(keyId, entry);
    return entry.answer;
  }

  /** Map keeps the order of insertion: the first entry is the oldest. */
  private remember(keyId: string, entry: Entry): void {
    this.entries.delete(keyId);
    const oldest = this.entries.keys().next();
    if (this.entries.size >= this.size && !oldest.done) this.entries.delete(oldest.value);
    this.entries.set(keyId, entry);
  }
}
