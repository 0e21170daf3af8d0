import { ConfigError, loadConfig, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { ensureAllTopics, TopicsConfig } from './ensure-all-topics';

const help = `Creates the topics that are missing on KAFKA_BROKERS, and partitions that are (TOPIC_PARTITIONS). Never removes.

  npm run topics
`;

class TopicsStepConfig {
  @Section(KafkaConfig)
  kafka: KafkaConfig;

  @Section(TopicsConfig)
  topics: TopicsConfig;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(help);
  const config = loadConfig(TopicsStepConfig);
  const done = await ensureAllTopics(config.kafka, config.topics);
  process.stdout.write(done.length === 0 ? 'All topics are there.\n' : `${done.join('\n')}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
});
