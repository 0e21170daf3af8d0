import type { Rejection, RejectionStore } from '@delivery/ingest/store';
import { maxMessageBytes, type Publisher } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';

/** Kafka refuses records whose headers outgrow the broker's limit; the whole list stays in `ingest_rejection`. */
const reasonsHeaderLimit = 8_192;
/** For all headers of a copy, in bytes: reasons are up to four bytes a character. */
const headerRoom = 4 * reasonsHeaderLimit + 1_024;
const keyLimit = 4_096;

/**
 * Copies rejections to their topic after the transaction that made them. A crash between copy and mark repeats a copy;
 * topic, partition, epoch and offset in its headers identify it.
 */
export class RejectionPublisher {
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly publisher: Publisher,
    private readonly store: RejectionStore,
    /** Source topic to rejected topic. */
    private readonly targets: ReadonlyMap<string, string>,
  ) {}

  /** Publishes all that is unpublished; concurrent calls share one pass. */
  flush(): Promise<void> {
    this.running ??= this.publishAll().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Resolves when no pass is under way, whatever became of it. */
  async idle(): Promise<void> {
    await this.running?.catch(() => undefined);
  }

  private async publishAll(): Promise<void> {
    while ((await this.publishSome()) > 0);
  }

  private publishSome(): Promise<number> {
    return this.database.transaction(async (tx) => {
      let published = 0;
      for (const [topic, target] of this.targets) {
        const rejections = await this.store.lockUnpublished(tx, topic, 100);
        if (rejections.length === 0) continue;
        await this.publisher.publish(
          target,
          rejections.map((rejection) => toMessage(topic, rejection)),
        );
        await this.store.markPublished(tx, rejections);
        published += rejections.length;
      }
      return published;
    });
  }
}

function toMessage(topic: string, rejection: Rejection) {
  const headers = headersOf(topic, rejection);
  const key = cut(rejection.key ?? Buffer.alloc(0), keyLimit);
  const value = cut(rejection.value ?? Buffer.alloc(0), maxMessageBytes - headerRoom - key.length);
  const size = (rejection.key?.length ?? 0) + (rejection.value?.length ?? 0);
  // Else one message of the largest size would keep all later rejections from their topic.
  if (key.length + value.length < size) headers['rejected-truncated'] = String(size);
  return { key, value, headers };
}

function headersOf(topic: string, rejection: Rejection): Record<string, string> {
  const reasons = JSON.stringify(rejection.reasons);
  return {
    'rejected-topic': topic,
    'rejected-partition': String(rejection.partition),
    'rejected-epoch': String(rejection.epoch),
    'rejected-offset': String(rejection.offset),
    'rejected-at': rejection.arrivedAt.toISOString(),
    'rejected-reasons':
      reasons.length <= reasonsHeaderLimit
        ? reasons
        : JSON.stringify(rejection.reasons.slice(0, 5)).slice(0, reasonsHeaderLimit),
  };
}

function cut(bytes: Buffer, limit: number): Buffer {
  return bytes.length <= limit ? bytes : bytes.subarray(0, limit);
}
