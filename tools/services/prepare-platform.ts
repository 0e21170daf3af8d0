import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { migrateAll } from '../migrate/migrate-all';
import { ensureStack, stackDir, stackStatus, type StackEnvironment, stopStack } from '../stack';
import { ensureAllTopics, TopicsConfig } from '../topics/ensure-all-topics';
import { ServiceRegistry } from './registry';
import { buildServices } from './service-process';
import { serviceNames } from './services';

export interface PreparedPlatform {
  /** Points services at the stack. */
  environment: StackEnvironment;
  registry: ServiceRegistry;
  /** Stops the stack, if it was not running before. */
  stopStack(): Promise<void>;
}

/**
 * All that services need before they can start: stack, migrations, topics, their bundles. Ends services left behind.
 * @param check throws what speaks against starting, before anything is started
 */
export async function preparePlatform(
  say: (line: string) => void,
  check: () => Promise<void> = async () => undefined,
): Promise<PreparedPlatform> {
  const wasRunning = (await stackStatus()).some(({ state }) => state === 'running');
  const registry = new ServiceRegistry(stackDir());
  const left = await registry.endAbandoned();
  if (left.length > 0) say(`services of an earlier start: ended ${left.join(', ')}`);
  await check();
  const stop = async () => {
    if (!wasRunning) await stopStack({ progress: say });
  };
  try {
    const environment = await ensureStack({ progress: say });
    const migrations = await migrateAll(loadConfig(PostgresConfig, environment), () => undefined);
    const topics = await ensureAllTopics(loadConfig(KafkaConfig, environment), loadConfig(TopicsConfig, environment));
    say(`migrations: ${migrations.length} applied · topics: ${topics.length} made · services: building`);
    buildServices(serviceNames);
    return { environment, registry, stopStack: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
