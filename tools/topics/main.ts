import { ConfigError, loadConfig, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { ensureAllTopics, TopicsConfig } from './ensure-all-topics';

const help = `Creates the topics that are missing on KAFKA_BROKERS, and partitions that are (TOPIC_PARTITIONS). Never removes.

Settings of a topic that differ are told and left alone.

  npm run topics               do it
  npm run topics -- --dry-run  only tell what would be done
`;

class TopicsStepConfig {
  @Section(KafkaConfig)
  kafka: KafkaConfig;

  @Section(TopicsConfig)
  topics: TopicsConfig;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(help);
  const unknown = args.filter((arg) => arg !== '--dry-run');
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(' ')}\n\n${help}`);
  const config = loadConfig(TopicsStepConfig);
  const progress = (line: string) => void process.stdout.write(`${line}\n`);
  const done = await ensureAllTopics(config.kafka, config.topics, { dryRun: args.includes('--dry-run'), progress });
  if (done.length === 0) progress('All topics are there.');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
});
