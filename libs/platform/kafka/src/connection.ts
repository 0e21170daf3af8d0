import { ConfigResourceTypes, Kafka, logLevel, type Admin, type KafkaConfig as ClientConfig, type SASLOptions } from 'kafkajs';
import { KafkaError, mapKafkaError, protocolType } from './errors';
import type { KafkaConfig } from './kafka.config';
import { toLogCreator, type KafkaLogger } from './logger';
import { Publisher } from './publisher';
import { requiredTopicConfig, type TopicSpec } from './topic';

export interface Watermarks {
  partition: number;
  /** First offset still in the log. */
  low: bigint;
  /** Offset that the next message will get. */
  high: bigint;
}

/** One process's way to a Kafka cluster; topic names go in and come out without the configured prefix. */
export class KafkaConnection {
  readonly kafka: Kafka;
  private adminClient: Promise<Admin> | undefined;
  private sharedPublisher: Publisher | undefined;

  constructor(
    readonly config: KafkaConfig,
    logger?: KafkaLogger,
  ) {
    this.kafka = new Kafka(clientConfig(config, logger));
  }

  topicName(name: string): string {
    return `${this.config.topicPrefix}${name}`;
  }

  /** The process's one producer, connected when first used. */
  publisher(): Publisher {
    this.sharedPublisher ??= new Publisher(this);
    return this.sharedPublisher;
  }

  async clusterId(): Promise<string> {
    return (await this.ask((admin) => admin.describeCluster())).clusterId;
  }

  /** @throws KafkaError `unknown_topic`, `broker_unavailable`. */
  async watermarks(name: string): Promise<Watermarks[]> {
    const offsets = await this.ask((admin) => admin.fetchTopicOffsets(this.topicName(name)));
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** Per partition, the first offset whose append time is at or after `time`; the end of the log when there is none. */
  async offsetsAt(name: string, time: Date): Promise<{ partition: number; offset: bigint }[]> {
    const offsets = await this.ask((admin) => admin.fetchTopicOffsetsByTimestamp(this.topicName(name), time.getTime()));
    return offsets.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })).sort((a, b) => a.partition - b.partition);
  }

  /** Creates topics that are missing and adds partitions that are; never removes. @returns what was done, a line each. */
  async ensureTopics(specs: readonly TopicSpec[]): Promise<string[]> {
    return this.ask(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const missing = specs.filter((spec) => !existing.has(this.topicName(spec.name)));
      if (missing.length > 0) await createTopics(admin, missing.map((spec) => ({ ...spec, name: this.topicName(spec.name) })));
      const done = missing.map((spec) => `created ${this.topicName(spec.name)} with ${spec.partitions} partitions`);
      for (const spec of specs.filter((s) => !missing.includes(s))) done.push(...(await this.growTopic(admin, spec)));
      return done;
    });
  }

  private async growTopic(admin: Admin, spec: TopicSpec): Promise<string[]> {
    const topic = this.topicName(spec.name);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const count = topics[0]?.partitions.length ?? 0;
    if (count >= spec.partitions) return [];
    await admin.createPartitions({ topicPartitions: [{ topic, count: spec.partitions }] });
    return [`${topic}: partitions ${count} -> ${spec.partitions}`];
  }

  /** What makes a topic unfit to be recorded exactly once, a sentence each; empty when it is fit. */
  async topicFaults(name: string): Promise<string[]> {
    const topic = this.topicName(name);
    return this.ask(async (admin) => {
      const existing = await admin.listTopics();
      if (!existing.includes(topic)) return [`Topic ${topic} does not exist. Create it: npm run topics.`];
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: Object.keys(requiredTopicConfig) }],
      });
      const entries = resources[0]?.configEntries ?? [];
      return Object.entries(requiredTopicConfig).flatMap(([key, wanted]) => {
        const found = entries.find((entry) => entry.configName === key)?.configValue;
        return found === wanted ? [] : [`Topic ${topic} has ${key}=${found}; set it to ${wanted}.`];
      });
    });
  }

  /** Runs an administrative request; a lost connection is made anew with the next one. */
  async ask<T>(request: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.adminClient ??= this.connectAdmin();
      return await request(await this.adminClient);
    } catch (error) {
      const mapped = mapKafkaError(error);
      if (mapped instanceof KafkaError && mapped.code === 'broker_unavailable') this.dropAdmin();
      throw mapped;
    }
  }

  private async connectAdmin(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }

  private dropAdmin(): void {
    const dropped = this.adminClient;
    this.adminClient = undefined;
    void dropped?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.sharedPublisher?.close();
    const admin = await this.adminClient?.catch(() => undefined);
    this.adminClient = undefined;
    await admin?.disconnect();
  }
}

async function createTopics(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: specs.map((spec) => ({
        topic: spec.name,
        numPartitions: spec.partitions,
        replicationFactor: spec.replication ?? -1,
        configEntries: Object.entries({ ...requiredTopicConfig, ...spec.config }).map(([name, value]) => ({ name, value })),
      })),
    });
  } catch (error) {
    if (protocolType(error) !== 'TOPIC_ALREADY_EXISTS') throw error; // another process was quicker
  }
}

function clientConfig(config: KafkaConfig, logger: KafkaLogger | undefined): ClientConfig {
  const sasl = config.saslMechanism && { mechanism: config.saslMechanism, username: config.saslUsername, password: config.saslPassword };
  return {
    clientId: config.clientId,
    brokers: config.brokers,
    ...(config.ssl && { ssl: config.sslCa ? { ca: [config.sslCa] } : true }),
    ...(sasl && { sasl: sasl as SASLOptions }),
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 5 },
    logLevel: logger ? logLevel.WARN : logLevel.NOTHING,
    ...(logger && { logCreator: toLogCreator(logger) }),
  };
}
