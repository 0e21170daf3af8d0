/** How values of one topic are named, keyed and written. Schema libraries export plain objects that fit. */
export interface Topic<T> {
  readonly name: string;
  key(value: T): string;
  encode(value: T): Buffer;
  /** @throws what the schema library throws for bytes that are no such value. */
  decode(bytes: Buffer): T;
}

/** What a topic must look like in the broker. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** The broker's default when absent. */
  readonly replication?: number;
  /** Broker settings by their names in Kafka: `{ 'retention.ms': '604800000' }`. */
  readonly config: Readonly<Record<string, string>>;
}

/**
 * What holds for every topic of the platform: arrival is the log's time, and no record is dropped for a newer one. The
 * broker stores what producers compress uncompressed: a codec that kafkajs lacks (it has gzip only) would end the
 * consumer at that message for ever, and a batch that unpacks to gigabytes is refused where its size is limited.
 */
export const requiredTopicConfig = {
  'message.timestamp.type': 'LogAppendTime',
  'cleanup.policy': 'delete',
  'compression.type': 'uncompressed',
} as const;
