import { consentRecorderName } from '@delivery/consent/schema';
import { ApiKeyStore, entities, OrganizationStore } from '@delivery/integrations/store';
import { PositionStore } from '@delivery/ingest/store';
import { generateApiKey, hashSecret } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import {
  stackEnvironment,
  testDatabase,
  type TestDatabase,
  testKafka,
  type TestKafka,
  waitFor,
  workspaceRoot,
} from '@delivery/platform/testing';
import { join } from 'node:path';
import { allMigrations } from '../migrate/migrate-all';
import {
  type Counts,
  eventsTopic,
  Ledger,
  logEnds,
  type LoggedMessage,
  type Outgoing,
  OracleProducer,
  type Positions,
  readLog,
} from '../oracle';
import { buildServices, ServiceProcess, type ServiceName, ServicesError, tailOf, unusedPort } from '../services';
import { allTopics } from '../topics/ensure-all-topics';

export interface Tenant {
  readonly id: string;
  readonly key: { readonly id: string; readonly secret: string };
}

type Reach = (environment: Readonly<Record<string, string>>) => Record<string, string>;

const positions = new PositionStore();

/**
 * A platform of a story's own: a database, topics under a prefix, services as processes that can be killed, and the
 * oracle's ledger of all that is produced.
 */
export class World {
  readonly ledger = new Ledger();
  private readonly services = new Set<ServiceProcess>();
  private readonly located = new Map<number, bigint>();
  private launched = 0;
  private closed = false;
  private producer: OracleProducer | undefined;

  private constructor(
    readonly test: TestDatabase,
    readonly database: Database,
    readonly kafka: TestKafka,
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** @param options.reach what services are told instead of where the servers are: proxies, for example */
  static async open(options: { partitions?: number; reach?: Reach } = {}): Promise<World> {
    process.chdir(workspaceRoot());
    const test = await testDatabase({ migrations: allMigrations });
    const database = await new Database(test.config, { applicationName: 'test', entities }).open();
    const kafka = await testKafka(allTopics({ partitions: options.partitions ?? 3, replication: -1 }));
    const environment = {
      ...stackEnvironment(),
      DATABASE_URL: test.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
      INGEST_RECHECK_MS: '500',
    };
    return new World(test, database, kafka, options.reach?.(environment) ?? environment);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.services].map((service) => service.kill()));
    await this.producer?.disconnect();
    await this.database.close();
    await this.kafka.close();
    await this.test.close();
  }

  /** Starts a built service as a process and waits until it is ready: see {@link untilReady}. */
  async start(name: ServiceName, environment: Record<string, string> = {}): Promise<ServiceProcess> {
    const port = await unusedPort();
    return untilReady(() => this.launch(name, environment, port));
  }

  /** Starts a built service that may never become ready. */
  launch(name: ServiceName, environment: Record<string, string> = {}, port = 0): ServiceProcess {
    if (this.closed) throw new Error(`${name} is not started: its world is closed.`);
    this.launched += 1;
    const log = join('test-results', 'e2e-logs', `${this.prefix}${this.launched}-${name}.log`);
    const service = new ServiceProcess({ name, port, environment: { ...this.environment, ...environment }, log });
    this.services.add(service);
    void service.ended.then(() => this.services.delete(service));
    return service;
  }

  /** What a service has written lately. */
  logOf(service: ServiceProcess): string {
    return tailOf(service.options.log, 200);
  }

  async organization(id: string, options: { guests?: boolean } = {}): Promise<Tenant> {
    await new OrganizationStore(this.database).create({
      organizationId: id,
      name: id,
      exportsGuests: options.guests ?? false,
    });
    const key = generateApiKey();
    await new ApiKeyStore(this.database).create(
      { organizationId: id, id: key.id, name: 'test', description: '' },
      hashSecret(key.secret),
    );
    return { id, key: { id: key.id, secret: key.secret } };
  }

  /** Publishes as an external producer; durable when it resolves. */
  async publish(items: Iterable<Outgoing>): Promise<void> {
    this.producer ??= await OracleProducer.connect(
      { brokers: this.kafka.config.brokers, topicPrefix: this.prefix },
      this.ledger,
    );
    try {
      await this.producer.send(items);
    } catch (error) {
      // What it sent may be in the log or not; the next one begins afresh.
      const broken = this.producer;
      this.producer = undefined;
      await broken.disconnect().catch(() => undefined);
      throw error;
    }
  }

  get prefix(): string {
    return this.kafka.config.topicPrefix;
  }

  /** Everything in a topic, read with the oracle's own consumer. */
  readTopic(topic: string): Promise<LoggedMessage[]> {
    return readLog({ brokers: this.kafka.config.brokers, topic: `${this.prefix}${topic}` });
  }

  /** Tells the ledger where the log has what was produced since it was told last. */
  async locate(epochOf?: (partition: number) => number): Promise<void> {
    const messages = await readLog({
      brokers: this.kafka.config.brokers,
      topic: `${this.prefix}${eventsTopic}`,
      from: this.located,
    });
    this.ledger.locate(messages, epochOf);
    for (const { partition, offset } of messages) {
      this.located.set(
        partition,
        offset >= (this.located.get(partition) ?? 0n) ? offset + 1n : (this.located.get(partition) ?? 0n),
      );
    }
  }

  /** The topic was made anew: its log begins at the beginning again. */
  forgetPlaces(): void {
    this.located.clear();
  }

  /** Resolves when the recorder has passed the present end of the events' log. */
  async recorded(timeoutMs = 180_000): Promise<void> {
    const ends = await logEnds(this.kafka.config.brokers, `${this.prefix}${eventsTopic}`);
    await waitFor(
      async () => {
        const own = (await this.positions()).filter(({ topic }) => topic === eventsTopic);
        return [...ends].every(
          ([partition, end]) => (own.find((each) => each.partition === partition)?.nextOffset ?? 0n) >= end,
        );
      },
      { describe: 'the recorder to reach the end of the log', timeoutMs },
    );
  }

  positions() {
    return positions.readAll(this.database, consentRecorderName);
  }

  /** Counters and positions of the events' topic at one moment. */
  async account(): Promise<{ counts: Counts; passed: number; positions: Positions }> {
    const rows = await this.database.query<Record<string, string>>(
      `SELECT partition, epoch, next_offset, next_offset - first_offset AS passed,
         recorded, duplicates, rejected, suppressed, control
       FROM ingest_position JOIN ingest_topic USING (topic_id) WHERE name = $1 ORDER BY partition, epoch`,
      [eventsTopic],
    );
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0);
    const current = rows.map((row): [string, { epoch: number; offset: string }] => [
      String(row['partition']),
      { epoch: Number(row['epoch']), offset: String(row['next_offset']) },
    ]);
    return {
      counts: {
        recorded: sum('recorded'),
        duplicates: sum('duplicates'),
        rejected: sum('rejected'),
        suppressed: sum('suppressed'),
        control: sum('control'),
      },
      passed: sum('passed'),
      positions: { [eventsTopic]: Object.fromEntries(current) },
    };
  }

  /** Sums of the events' counters over all partitions and epochs. */
  async counters(): Promise<Counts & { passed: number }> {
    const { counts, passed } = await this.account();
    return { ...counts, passed };
  }
}

const starts = 3;

/**
 * Waits until a service is ready. One that ends before, because a server did not answer in time, is launched again, as an
 * orchestrator does.
 */
export async function untilReady(launch: () => ServiceProcess): Promise<ServiceProcess> {
  for (let start = 1; ; start += 1) {
    const service = launch();
    try {
      return await service.ready();
    } catch (error) {
      const over = start === starts || service.running;
      if (over || (error instanceof ServicesError && error.code === 'bad_config')) throw error;
    }
  }
}

/** Builds services once for a file of stories. */
export function build(...names: ServiceName[]): void {
  process.chdir(workspaceRoot());
  buildServices(names);
}
