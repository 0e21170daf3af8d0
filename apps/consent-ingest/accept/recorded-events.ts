import { ConsentReadStore } from '@delivery/consent/store';
import { RejectionStore } from '@delivery/ingest/store';
import { badRequest } from '@delivery/platform/auth';
import type { PublishedAt } from '@delivery/platform/kafka';
import { DatabaseError, type Sql } from '@delivery/platform/postgres';
import { RecordedWatch } from './recorded-watch';

/** What became of events that the log has taken. */
export class RecordedEvents {
  private readonly watch: RecordedWatch;
  private readonly read: ConsentReadStore;
  private readonly rejections = new RejectionStore();

  constructor(
    private readonly sql: Sql,
    consumer: string,
    private readonly topic: string,
  ) {
    this.watch = new RecordedWatch(sql, consumer, topic);
    this.read = new ConsentReadStore(sql);
  }

  /**
   * The stored event of an accepted one: of an earlier event with the same id, if there was one.
   * @returns undefined when the recorder has not come to it in time, or the database cannot tell: it is accepted all the
   * same, and an error would have the client send it again
   * @throws ApiException 400 when it was rejected
   */
  async find(
    event: { id: string; organization_id: string },
    at: PublishedAt,
    timeoutMs: number,
  ): Promise<string | undefined> {
    if (!(await this.watch.passed(at, timeoutMs))) return undefined;
    try {
      const document = await this.read.event(event.organization_id, event.id);
      if (document !== undefined) return document;
      // Nor rejected: the position is that of a log which was recreated since.
      if (!(await this.rejections.has(this.sql, this.topic, at, event.id))) return undefined;
    } catch (error) {
      if (error instanceof DatabaseError && error.retryable) return undefined;
      throw error;
    }
    throw badRequest('The event was refused when it was to be recorded; ask the operator for its rejection.');
  }
}
