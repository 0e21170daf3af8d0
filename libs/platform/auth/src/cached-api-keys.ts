import type { ApiKeyLookup, ApiKeyRecord } from './api-keys';

export interface CacheOptions {
  /** How long an answer is used, found or not; a disabled key is accepted at most this much longer. */
  readonly lifetimeMs?: number;
  /** Most answers held of keys that were found, and of those that were not: of these there is no end. */
  readonly size?: number;
  readonly now?: () => number;
}

interface Entry {
  readonly until: number;
  readonly answer: Promise<ApiKeyRecord | undefined>;
}

/** Spares the database one query per request; requests for one key at one time share one query. */
export class CachedApiKeys implements ApiKeyLookup {
  private readonly found = new Map<string, Entry>();
  /** Apart: whoever invents keys must not push out those that are used. */
  private readonly others = new Map<string, Entry>();
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

  /** Whether looking for it costs a query about a key of which nothing is known. */
  isNew(keyId: string): boolean {
    return !this.found.has(keyId) && this.fresh(keyId) === undefined;
  }

  find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const known = this.fresh(keyId);
    if (known !== undefined) return known.answer;
    const answer = this.lookup.find(keyId);
    const entry: Entry = { until: this.now() + this.lifetimeMs, answer };
    const before = this.found.has(keyId) ? this.found : this.others;
    this.remember(before, keyId, entry);
    answer.then(
      (key) => {
        const [from, to] = key === undefined ? [this.found, this.others] : [this.others, this.found];
        if (from.get(keyId) !== entry) return;
        from.delete(keyId);
        this.remember(to, keyId, entry);
      },
      // A failed query says nothing about the key: the next request asks again.
      () => {
        if (this.others.get(keyId) === entry) this.others.delete(keyId);
        if (this.found.get(keyId) === entry) this.found.set(keyId, { ...entry, until: -Infinity });
      },
    );
    return answer;
  }

  private fresh(keyId: string): Entry | undefined {
    const entry = this.found.get(keyId) ?? this.others.get(keyId);
    return entry !== undefined && entry.until > this.now() ? entry : undefined;
  }

  /** Map keeps the order of insertion: the first entry is the oldest. */
  private remember(entries: Map<string, Entry>, keyId: string, entry: Entry): void {
    entries.delete(keyId);
    const oldest = entries.keys().next();
    if (entries.size >= this.size && !oldest.done) entries.delete(oldest.value);
    entries.set(keyId, entry);
  }
}
