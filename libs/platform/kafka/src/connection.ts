import { logLevel, type Admin, type KafkaConfig as ClientConfig, type logCreator, type SASLOptions } from 'kafkajs';
import { configsOf, ensureTopics, type EnsureTopicsOptions, type TopicChange } from './ensure-topics';
import { KafkaError, mapKafkaError, within } from './errors';
import { KafkaClient, openSocket } from './kafka-client';
import type { KafkaConfig } from './kafka.config';
import { askCommitted } from './kafkajs-repairs';
import { toLogCreator, type KafkaLogger } from './logger';
import { Publisher } from './publisher';
import { requiredTopicConfig, type TopicSpec } from './topic';

/** Told of each publish when it has ended, by the topic's name without prefix. */
export interface KafkaObserver {
  published(topic: string, outcome: 'ok' | 'failed', seconds: number): void;
}

export interface Watermarks {
  partition: number;
  /** First offset still in the log. */
  low: bigint;
  /** Offset that the next message will get. */
  high: bigint;
  /** Up to where messages can be read: `high`, or the first message of a transaction that is open. */
  stable: bigint;
}

/** Where a time is in the log, and where the log ended when that was asked. */
export interface OffsetAtTime extends Watermarks {
  offset: bigint;
}

/** kafkajs remembers a topic's partitions for as long as an administrative connection lives: added ones must be seen. */
const adminMaxAgeMs = 10_000;

/** Changing a cluster takes it longer than answering questions. */
const changeTimeoutMs = 60_000;

/** One process's way to a Kafka cluster; topic names go in and come out without the configured prefix. */
export class KafkaConnection {
  private current: AdminInUse | undefined;
  private sharedPublisher: Publisher | undefined;

  constructor(
    readonly config: KafkaConfig,
    readonly logger?: KafkaLogger,
    readonly observer?: KafkaObserver,
  ) {}

  /** A topic's name in the broker. Consumer groups carry the same prefix. */
  topicName(name: string): string {
    return `${this.config.topicPrefix}${name}`;
  }

  /** The opposite of `topicName`. */
  plainName(topic: string): string {
    return topic.slice(this.config.topicPrefix.length);
  }

  /**
   * A client of its own for each consumer and producer: kafkajs keeps a group's offsets per client, and two consumers of
   * one group that shared them would clear each other's.
   */
  client(overrides: Partial<ClientConfig> = {}): KafkaClient {
    const config = { ...clientConfig(this.config, toLogCreator(this.logger)), ...overrides };
    return new KafkaClient(config, (args) => this.openSocket(args));
  }

  /** Where every connection to a broker begins. */
  protected openSocket(args: Parameters<typeof openSocket>[0]): ReturnType<typeof openSocket> {
    return openSocket(args);
  }

  /** The process's one publisher, connected when first used. */
  publisher(): Publisher {
    this.sharedPublisher ??= new Publisher(this);
    return this.sharedPublisher;
  }

  async clusterId(): Promise<string> {
    return (await this.ask((admin) => admin.describeCluster())).clusterId;
  }

  async topicExists(name: string): Promise<boolean> {
    return (await this.ask((admin) => admin.listTopics())).includes(this.topicName(name));
  }

  /** @throws KafkaError `unknown_topic`, `broker_unavailable`. */
  async watermarks(name: string): Promise<Watermarks[]> {
    const topic = this.topicName(name);
    const offsets = await this.ask((admin) => admin.fetchTopicOffsets(topic));
    // Asked last: what is before the end and not stable now is in a transaction, and has not only just arrived.
    const found = await this.ask((admin) => askCommitted(() => admin.fetchTopicOffsets(topic)));
    const committed = new Map(found.map(({ partition, high }) => [partition, BigInt(high)]));
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .map((ends) => ({ ...ends, stable: lesser(ends.high, committed.get(ends.partition) ?? ends.high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  /**
   * Per partition, the first offset whose append time is at or after `time`, also in a transaction that is open; the end of
   * the log when there is none.
   * @throws KafkaError `unknown_topic`, `broker_unavailable`.
   */
  async offsetsAt(name: string, time: Date): Promise<OffsetAtTime[]> {
    const topic = this.topicName(name);
    const [found, ends] = await Promise.all([
      this.ask((admin) => admin.fetchTopicOffsetsByTimestamp(topic, time.getTime())),
      this.watermarks(name),
    ]);
    const offsets = new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
    return ends.map((each) => ({ ...each, offset: offsets.get(each.partition) ?? each.high }));
  }

  /**
   * What a group has committed of a topic: the offsets that were handled, and the notes kept beside them. Partitions
   * that it never committed are left out.
   */
  async committed(groupId: string, name: string): Promise<{ partition: number; offset: bigint; note: string }[]> {
    const request = { groupId: this.topicName(groupId), topics: [this.topicName(name)] };
    const [found] = await this.ask((admin) => admin.fetchOffsets(request));
    return (found?.partitions ?? [])
      .map(({ partition, offset, metadata }) => ({ partition, offset: BigInt(offset), note: metadata ?? '' }))
      .filter(({ offset }) => offset >= 0n);
  }

  /** Creates topics that are missing and adds partitions that are; reports other differences; never removes. */
  async ensureTopics(specs: readonly TopicSpec[], options: EnsureTopicsOptions = {}): Promise<TopicChange[]> {
    const named = specs.map((spec) => ({ ...spec, name: this.topicName(spec.name) }));
    return this.ask((admin) => ensureTopics(admin, named, options), changeTimeoutMs);
  }

  /** What makes a topic unfit to be recorded exactly once, a sentence each; empty when it is fit. */
  async topicFaults(name: string): Promise<string[]> {
    const topic = this.topicName(name);
    if (!(await this.topicExists(name))) return [`Topic ${topic} does not exist. Create it: npm run topics.`];
    const wanted = new Map([[topic, Object.keys(requiredTopicConfig)]]);
    const found = (await this.ask((admin) => configsOf(admin, wanted))).get(topic);
    return Object.entries(requiredTopicConfig).flatMap(([key, value]) =>
      found?.get(key) === value ? [] : [`Topic ${topic} has ${key}=${String(found?.get(key))}; set it to ${value}.`],
    );
  }

  /**
   * Runs an administrative request. After a failure the next one gets a new connection: kafkajs asks about every topic
   * it was ever asked about, and one that was deleted would fail all further requests.
   */
  async ask<T>(request: (admin: Admin) => Promise<T>, timeoutMs = this.config.publishTimeoutMs): Promise<T> {
    if (this.current && performance.now() - this.current.since > adminMaxAgeMs) {
      this.current.discard();
      this.current = undefined;
    }
    const used = (this.current ??= new AdminInUse(this.client()));
    try {
      return await used.run((admin) => within(timeoutMs, 'an answer', request(admin)), timeoutMs);
    } catch (error) {
      if (this.current === used) this.current = undefined;
      used.discard();
      throw mapKafkaError(error);
    }
  }

  async close(): Promise<void> {
    await this.sharedPublisher?.close();
    const used = this.current;
    this.current = undefined;
    await used?.close();
  }
}

/** An administrative connection that is closed only when its last request has ended. */
class AdminInUse {
  readonly since = performance.now();
  private readonly admin: Admin;
  private readonly connected: Promise<void>;
  private users = 0;
  private discarded = false;

  constructor(private readonly client: KafkaClient) {
    this.admin = client.kafka.admin({ retry: { retries: 3 } });
    this.connected = this.admin.connect();
    this.connected.catch(() => undefined);
  }

  async run<T>(request: (admin: Admin) => Promise<T>, timeoutMs: number): Promise<T> {
    this.users += 1;
    try {
      await within(timeoutMs, 'connecting', this.connected);
      return await request(this.admin);
    } finally {
      this.users -= 1;
      if (this.discarded && this.users === 0) void this.close();
    }
  }

  discard(): void {
    this.discarded = true;
    if (this.users === 0) void this.close();
  }

  async close(): Promise<void> {
    await within(5000, 'closing', this.admin.disconnect()).catch(() => undefined);
    this.client.sever();
  }
}

function clientConfig(config: KafkaConfig, log: logCreator): ClientConfig {
  const sasl = saslOptions(config);
  return {
    clientId: config.clientId,
    brokers: config.brokers,
    ...(config.ssl && { ssl: config.sslCa ? { ca: [config.sslCa] } : true }),
    ...(sasl && { sasl }),
    connectionTimeout: Math.min(3000, config.publishTimeoutMs),
    requestTimeout: Math.max(config.publishTimeoutMs, 1000),
    retry: { initialRetryTime: 100, maxRetryTime: 1000, factor: 0.2, multiplier: 2, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator: log,
  };
}

function saslOptions({ saslMechanism, saslUsername, saslPassword }: KafkaConfig): SASLOptions | undefined {
  if (saslMechanism === undefined) return undefined;
  if (saslUsername === undefined || saslPassword === undefined) {
    throw new KafkaError('not_authorized', 'Kafka: a SASL mechanism needs a user name and a password');
  }
  const login = { username: saslUsername, password: saslPassword };
  if (saslMechanism === 'plain') return { mechanism: 'plain', ...login };
  if (saslMechanism === 'scram-sha-256') return { mechanism: 'scram-sha-256', ...login };
  return { mechanism: 'scram-sha-512', ...login };
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
