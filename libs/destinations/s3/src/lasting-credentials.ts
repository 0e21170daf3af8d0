/** As a client of the SDK keeps its credentials: it refreshes them shortly before they end, or when it is told to. */
type Provider = (options?: { forceRefresh?: boolean }) => Promise<{ readonly expiration?: Date }>;

/** A link must not end by its credentials in the moment in which it does by itself. */
const MARGIN_SECONDS = 60;
/** Some sources give the same credentials until shortly before their end: they are not asked for each link. */
const PAUSE_MS = 30_000;

/** Sees to it that what is signed is good for as long as it says, wherever the source of credentials lets it. */
export class LastingCredentials {
  private asked = -Infinity;
  private asking: Promise<unknown> | undefined;

  constructor(
    private readonly provide: Provider,
    private readonly now: () => number = Date.now,
  ) {}

  /** Asks for new credentials when those that are there end within so many seconds and a minute. */
  async lastFor(seconds: number): Promise<void> {
    await this.asking;
    const { expiration } = await this.provide();
    if (expiration === undefined || expiration.getTime() - this.now() >= (seconds + MARGIN_SECONDS) * 1000) return;
    if (this.asking === undefined && this.now() - this.asked < PAUSE_MS) return;
    this.asked = this.now();
    this.asking ??= this.provide({ forceRefresh: true }).finally(() => (this.asking = undefined));
    await this.asking;
  }
}
