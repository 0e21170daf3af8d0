import { topicSpecs as analytics } from '@delivery/analytics/schema';
import { topicSpecs as consent } from '@delivery/consent/schema';
import { topicSpecs as exports } from '@delivery/exports/schema';
import { Env } from '@delivery/platform/config';
import { type EnsureTopicsOptions, type KafkaConfig, KafkaConnection, type TopicSpec } from '@delivery/platform/kafka';
import { IsInt, Max, Min } from 'class-validator';

/** How wide topics are made. */
export class TopicsConfig {
  @Env({
    name: 'TOPIC_PARTITIONS',
    description: 'Partitions of the public topics; more can be added later, never fewer.',
    default: '12',
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  partitions: number;

  @Env({
    name: 'TOPIC_REPLICATION',
    description: "Copies of each partition; -1 takes the brokers' default.",
    default: '-1',
  })
  @IsInt()
  @Min(-1)
  @Max(10)
  replication: number;
}

/** All topics of the platform. */
export function allTopics(config: TopicsConfig): TopicSpec[] {
  const specs: TopicSpec[] = [
    ...consent(config.partitions),
    ...exports(config.partitions),
    ...analytics(config.partitions),
  ];
  return specs.map((spec) => (config.replication < 0 ? spec : { ...spec, replication: config.replication }));
}

/**
 * Creates topics and partitions that are missing, and reports settings that differ; repeatable.
 * @returns what was done or differs, a line each; with `dryRun` what would be done.
 */
export async function ensureAllTopics(
  kafka: KafkaConfig,
  config: TopicsConfig,
  options: EnsureTopicsOptions = {},
): Promise<string[]> {
  const connection = new KafkaConnection(kafka);
  try {
    const changes = await connection.ensureTopics(allTopics(config), options);
    return changes.map(({ detail }) => detail);
  } finally {
    await connection.close();
  }
}
