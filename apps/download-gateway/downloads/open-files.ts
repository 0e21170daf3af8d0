import { ApiException } from '@delivery/platform/auth';

const RETRY_AFTER_SECONDS = 10;

export interface OpenFilesLimits {
  /** Downloads at once, of this process. */
  readonly all: number;
  /** Downloads at once with one link. */
  readonly ofLink: number;
}

/** Counts downloads that go on, so that nobody takes all places. */
export class OpenFiles {
  private readonly ofLinks = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: OpenFilesLimits) {}

  /**
   * @returns gives the place back
   * @throws 429 when this link, 503 when the process has as many downloads as it may
   */
  take(link: string): () => void {
    const open = this.ofLinks.get(link) ?? 0;
    if (open >= this.limits.ofLink) {
      throw refused(429, `This link has ${open} downloads at once: let one of them end.`);
    }
    if (this.all >= this.limits.all) {
      throw refused(
        503,
        'Too many files are being downloaded right now. Nothing is lost by trying again in a few seconds.',
      );
    }
    this.ofLinks.set(link, open + 1);
    this.all += 1;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.all -= 1;
      const left = (this.ofLinks.get(link) ?? 1) - 1;
      if (left === 0) this.ofLinks.delete(link);
      else this.ofLinks.set(link, left);
    };
  }
}

function refused(status: number, message: string): ApiException {
  return new ApiException(status, message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
