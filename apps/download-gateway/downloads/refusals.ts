import type { Principal } from '@delivery/platform/auth';
import { Logger } from '@nestjs/common';
import type { AccessEntry, AccessLog, AccessRow } from './access-log';

interface Minute {
  times: number;
  readonly row: Promise<AccessRow | undefined>;
  readonly timer: NodeJS.Timeout;
}

/** Keys with a refusal in this minute, at most; it would take an organization of its own to have so many. */
const MOST = 10_000;

/**
 * Requests that were refused before anything was looked for (401, 429), of keys that are somebody's: one row for a key,
 * a status and a minute, so that whoever sends many does not fill the log.
 */
export class Refusals {
  private readonly logger = new Logger('access log');
  private readonly minutes = new Map<string, Minute>();

  constructor(
    private readonly log: Pick<AccessLog, 'note' | 'complete'>,
    private readonly minuteMs = 60_000,
  ) {}

  note(who: Principal, entry: AccessEntry): void {
    const name = `${who.keyId} ${entry.status}`;
    const known = this.minutes.get(name);
    if (known !== undefined) {
      known.times += 1;
      return;
    }
    if (this.minutes.size >= MOST) return;
    const row = this.log.note(entry).catch((err: unknown) => {
      this.logger.error({ err }, 'a refusal could not be written down');
      return undefined;
    });
    const timer = setTimeout(() => void this.end(name), this.minuteMs);
    timer.unref();
    this.minutes.set(name, { times: 1, row, timer });
  }

  async close(): Promise<void> {
    await Promise.all([...this.minutes.keys()].map((name) => this.end(name)));
  }

  private async end(name: string): Promise<void> {
    const minute = this.minutes.get(name);
    if (minute === undefined) return;
    this.minutes.delete(name);
    clearTimeout(minute.timer);
    const row = await minute.row;
    if (row === undefined || minute.times === 1) return;
    this.log.complete({ organizationId: row.organizationId, id: row.id, times: minute.times });
  }
}
