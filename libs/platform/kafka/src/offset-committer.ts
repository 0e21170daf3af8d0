import type { OffsetsByTopicPartition } from 'kafkajs';

type Commit = (offsets: OffsetsByTopicPartition) => Promise<void>;

/**
 * Commits offsets for those who watch a group's lag; correctness never depends on it. One commit is under way at a time
 * and the newest offset of each partition is in the next, so a slow coordinator slows nobody. A failed commit is
 * forgotten: the next one tells more.
 */
export class OffsetCommitter {
  private newest = new Map<string, { topic: string; partition: number; offset: bigint; note: string | null }>();
  private commit: Commit | undefined;
  private running: Promise<void> | undefined;

  /**
   * @param at.note - is kept beside the offset
   * @param commit - of the consumer as it is now: a consumer that was replaced cannot commit
   */
  add(at: { topic: string; partition: number; offset: bigint; note: string | null }, commit: Commit): void {
    this.newest.set(`${at.topic} ${at.partition}`, at);
    this.commit = commit;
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.newest.size > 0 && this.commit) {
      const topics = [...this.newest.values()].map(({ topic, partition, offset, note }) => ({
        topic,
        partitions: [{ partition, offset: offset.toString(), metadata: note }],
      }));
      this.newest = new Map();
      await this.commit({ topics }).catch(() => undefined);
    }
  }
}
