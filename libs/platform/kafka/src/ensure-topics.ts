import { setTimeout as delay } from 'node:timers/promises';
import { ConfigResourceTypes, type Admin } from 'kafkajs';
import { protocolType } from './errors';
import { requiredTopicConfig, type TopicSpec } from './topic';

/** How often, and how long, topics that were made are waited for. */
const MAX_TRIES = 60;
const TRY_MS = 500;

/** What was done to a topic, or has to be done by people. */
export interface TopicChange {
  readonly topic: string;
  /** `differs`: a setting is not as specified; it is reported, never changed. */
  readonly kind: 'created' | 'grown' | 'differs';
  /** One sentence. */
  readonly detail: string;
}

export interface EnsureTopicsOptions {
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  readonly progress?: (line: string) => void;
}

/**
 * Creates topics that are missing and adds partitions that are; never removes anything. May be repeated and may run
 * twice at once.
 */
export async function ensureTopics(
  admin: Admin,
  specs: readonly TopicSpec[],
  { dryRun = false, progress = () => undefined }: EnsureTopicsOptions = {},
): Promise<TopicChange[]> {
  const existing = new Set(await admin.listTopics());
  const missing = specs.filter((spec) => !existing.has(spec.name));
  const found = specs.filter((spec) => existing.has(spec.name));
  const changes = [...missing.map(creation), ...(await growth(admin, found)), ...(await differences(admin, found))];
  for (const change of changes) progress(`${dryRun ? 'would change: ' : ''}${change.detail}`);
  if (dryRun) return changes;
  if (missing.length > 0) await create(admin, missing);
  const grown = new Set(changes.filter(({ kind }) => kind === 'grown').map(({ topic }) => topic));
  for (const spec of found.filter(({ name }) => grown.has(name))) {
    await admin.createPartitions({ topicPartitions: [{ topic: spec.name, count: spec.partitions }] });
  }
  return changes;
}

/** Creates one topic more; the settings every topic has may be overruled (only tests do). */
export async function create(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: specs.map((spec) => ({
        topic: spec.name,
        numPartitions: spec.partitions,
        replicationFactor: spec.replication ?? -1,
        configEntries: Object.entries(configOf(spec)).map(([name, value]) => ({ name, value })),
      })),
    });
  } catch (error) {
    const type = protocolType(error);
    // A broker that has much to do made them and does not know them yet.
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return untilKnown(admin, specs);
    if (type !== 'TOPIC_ALREADY_EXISTS') throw error; // another process was quicker
  }
}

async function untilKnown(admin: Admin, specs: readonly TopicSpec[]): Promise<void> {
  const topics = specs.map(({ name }) => name);
  for (let tries = 1; ; tries += 1) {
    try {
      await admin.fetchTopicMetadata({ topics });
      return;
    } catch (error) {
      if (protocolType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION' || tries === MAX_TRIES) throw error;
      await delay(TRY_MS);
    }
  }
}

/** The broker's values of the given settings, per topic. */
export async function configsOf(
  admin: Admin,
  wanted: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, Map<string, string>>> {
  if (wanted.size === 0) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [...wanted].map(([name, keys]) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [...keys] })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function configOf(spec: TopicSpec): Record<string, string> {
  return { ...requiredTopicConfig, ...spec.config };
}

function creation({ name, partitions }: TopicSpec): TopicChange {
  return { topic: name, kind: 'created', detail: `${name}: created with ${partitions} partitions` };
}

async function growth(admin: Admin, specs: readonly TopicSpec[]): Promise<TopicChange[]> {
  if (specs.length === 0) return [];
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) });
  const counts = new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
  return specs.flatMap(({ name, partitions }): TopicChange[] => {
    const count = counts.get(name) ?? partitions;
    if (count === partitions) return [];
    if (count < partitions)
      return [{ topic: name, kind: 'grown', detail: `${name}: partitions ${count} -> ${partitions}` }];
    return [
      {
        topic: name,
        kind: 'differs',
        detail: `${name}: has ${count} partitions, not ${partitions}; Kafka cannot remove any`,
      },
    ];
  });
}

async function differences(admin: Admin, specs: readonly TopicSpec[]): Promise<TopicChange[]> {
  const actual = await configsOf(admin, new Map(specs.map((spec) => [spec.name, Object.keys(configOf(spec))])));
  return specs.flatMap((spec) =>
    Object.entries(configOf(spec)).flatMap(([key, wanted]): TopicChange[] => {
      const found = actual.get(spec.name)?.get(key);
      if (found === wanted) return [];
      return [
        { topic: spec.name, kind: 'differs', detail: `${spec.name}: has ${key}=${String(found)}, not ${wanted}` },
      ];
    }),
  );
}
