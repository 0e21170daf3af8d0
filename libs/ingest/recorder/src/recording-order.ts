import {
  type Border,
  comparePlaces,
  type IngestPosition,
  limitOf,
  type LogPlace,
  nextBorder,
  PositionStore,
  RewindStore,
} from '@delivery/ingest/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';

interface RecordingOrderOptions {
  /** Name of the recorder's rows in `ingest_position`. */
  readonly consumer: string;
  /** Whose offsets Kafka has. */
  readonly groupId: string;
  readonly topics: readonly string[];
}

/** What is kept in Kafka beside the offset of a partition: offsets of different lives of a topic do not compare. */
export function noteOf({ epoch }: Pick<IngestPosition, 'epoch'>): string {
  return `epoch ${epoch}`;
}

/**
 * Partitions that were recorded further than the database says, by what this recorder told Kafka when it had recorded
 * them. A note without an epoch, of an earlier version, says nothing.
 */
export async function recordedBeyond(
  { database, connection }: { database: Database; connection: KafkaConnection },
  { consumer, groupId, topics }: RecordingOrderOptions,
): Promise<LogPlace[]> {
  // Asked before the positions are: a position is stored before Kafka is told, by whichever recorder.
  const committed = await Promise.all(
    topics.map(async (topic) => {
      const found = await connection.committed(groupId, topic);
      return found.flatMap(({ partition, offset, note }) => {
        const epoch = /^epoch (\d+)$/.exec(note)?.[1];
        return epoch === undefined ? [] : [{ topic, partition, epoch: Number(epoch), nextOffset: offset }];
      });
    }),
  );
  const positions = await new PositionStore().readAll(database, consumer);
  return committed.flat().filter((place) => {
    const at = positions.find(({ topic, partition }) => topic === place.topic && partition === place.partition);
    return at === undefined || comparePlaces(at, place) < 0;
  });
}

/**
 * Finds out that the database has gone back (a restored backup, a replica that lagged took over), and keeps the order in
 * which what comes after was recorded the first time.
 */
export class RecordingOrder {
  private readonly positions = new PositionStore();
  private readonly rewinds = new RewindStore();
  private borders: readonly Border[] = [];

  constructor(
    private readonly deps: { database: Database; connection: KafkaConnection },
    private readonly options: RecordingOrderOptions,
  ) {}

  /** Compares all positions with what Kafka was told. */
  async compareWithKafka(): Promise<void> {
    const beyond = await recordedBeyond(this.deps, this.options);
    if (beyond.length > 0) await this.rewinds.notice(this.deps.database, this.options.consumer, beyond);
  }

  /** Compares a position that was read now with one that is known to have been stored before. */
  async compare(before: LogPlace, now: LogPlace | undefined): Promise<boolean> {
    if (now !== undefined && comparePlaces(before, now) <= 0) return false;
    await this.rewinds.notice(this.deps.database, this.options.consumer, [before]);
    return true;
  }

  /** Why nothing may be recorded until the operator has looked at the deliveries. */
  async heldReason({ topic, partition, epoch, nextOffset }: IngestPosition): Promise<string> {
    const rewinds = await this.rewinds.list(this.deps.database, this.options.consumer);
    const told = rewinds
      .filter(({ reconciled }) => !reconciled)
      .map((each) => `partition ${each.partition} of ${each.topic} up to offset ${each.nextOffset}`);
    return (
      `Recording of partition ${partition} of ${topic} stopped at offset ${nextOffset} of epoch ${epoch}: the database is ` +
      `older than what was recorded once (${told.join(', ')}); it was restored, or a replica that lagged took over. ` +
      `Deliveries may have been made that it does not know of. Continue by: npm run admin -- deliveries reconcile`
    );
  }

  /** Reads the borders of the windows that were delivered after the moment to which the database went back. */
  async load(): Promise<void> {
    this.borders = await this.rewinds.borders(this.deps.database, this.options.consumer);
  }

  /** @returns up to where this partition may be recorded now; `undefined`: as far as there is */
  async limit(position: LogPlace): Promise<bigint | undefined> {
    if (this.borders.length === 0) return undefined;
    const positions = await this.positions.readAll(this.deps.database, this.options.consumer);
    const border = nextBorder(this.borders, positions);
    if (border === undefined) this.borders = [];
    return limitOf(position, border);
  }
}
