import { type IngestPosition, PositionStore } from '@delivery/ingest/store';
import { type KafkaConnection, KafkaError } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';

/** Notices partitions that stand still though messages wait, whatever the reason. */
export class ProgressWatch {
  private readonly positions = new Map<string, { place: string; looks: number }>();

  /** @param looksUntilStanding - as many as a rebalance, or a restart of the broker or of Postgres, may take */
  constructor(private readonly looksUntilStanding: number) {}

  /** Called at equal intervals. @returns a sentence once the partition has stood still for too long. */
  look({ topic, partition, epoch, nextOffset }: IngestPosition, behind: bigint): string | undefined {
    const key = `${topic} ${partition}`;
    const place = `${epoch} ${nextOffset}`;
    const before = this.positions.get(key);
    const looks = behind > 0n && before?.place === place ? before.looks + 1 : 0;
    this.positions.set(key, { place, looks });
    if (looks < this.looksUntilStanding) return undefined;
    return (
      `Partition ${partition} of ${topic} stands still at offset ${nextOffset}, with ${behind} messages behind it. ` +
      `The log of this process tells why; a producer may also have left a transaction open.`
    );
  }
}

interface LogWatchDeps {
  database: Database;
  connection: KafkaConnection;
  observer: { behind(topic: string, partition: number, messages: bigint, arrivedAt: Date | undefined): void };
}

/**
 * Compares the log with the positions, whatever the consumer says: an error that is repeated for ever, a client that went
 * silent or a topic made anew with fewer partitions must not leave a partition behind unnoticed.
 */
export class LogWatch {
  private readonly positions = new PositionStore();
  private readonly progress: ProgressWatch;
  /** Partitions that the last look did not find: a broker may take a moment to hear of one. */
  private missing = new Set<string>();

  constructor(
    private readonly deps: LogWatchDeps,
    private readonly consumer: string,
    private readonly topics: readonly string[],
    looksUntilStanding: number,
  ) {
    this.progress = new ProgressWatch(looksUntilStanding);
  }

  /**
   * @param isOwn - whether this process answers for a partition, named `<topic> <partition>`
   * @returns sentences, and the positions whose partition is not in the log any more
   */
  async look(isOwn: (key: string) => boolean): Promise<{ faults: string[]; gone: IngestPosition[] }> {
    const faults: string[] = [];
    const gone: IngestPosition[] = [];
    const missing = new Set<string>();
    const positions = await this.positions.readAll(this.deps.database, this.consumer);
    for (const topic of this.topics) {
      faults.push(...(await this.deps.connection.topicFaults(topic)));
      const ends = await this.endsOf(topic);
      for (const position of positions.filter((each) => each.topic === topic)) {
        const key = `${topic} ${position.partition}`;
        const end = ends?.get(position.partition);
        if (end !== undefined && isOwn(key)) faults.push(...this.lookAt(position, end));
        if (end !== undefined || ends === undefined) continue;
        missing.add(key);
        if (this.missing.has(key)) gone.push(position);
      }
    }
    this.missing = missing;
    return { faults, gone };
  }

  private lookAt(position: IngestPosition, end: bigint): string[] {
    const behind = end > position.nextOffset ? end - position.nextOffset : 0n;
    this.deps.observer.behind(position.topic, position.partition, behind, position.arrivedAt);
    const fault = this.progress.look(position, behind);
    return fault === undefined || position.status === 'stopped' ? [] : [fault];
  }

  /** The ends of a topic's partitions; undefined when there is no such topic. */
  private async endsOf(topic: string): Promise<Map<number, bigint> | undefined> {
    try {
      return new Map((await this.deps.connection.watermarks(topic)).map(({ partition, high }) => [partition, high]));
    } catch (error) {
      if (error instanceof KafkaError && error.code === 'unknown_topic') return undefined;
      throw error;
    }
  }
}
