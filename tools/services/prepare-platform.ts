import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { migrateAll } from '../migrate/migrate-all';
import { ensureStack, stackDir, stackStatus, type StackEnvironment, stopStack } from '../stack';
import { ensureAllTopics, TopicsConfig } from '../topics/ensure-all-topics';
import { type OwnEnvironment, ownEnvironment } from './own-environment';
import { ServiceRegistry } from './registry';
import { buildServices } from './service-process';
import { serviceNames } from './services';

export interface PreparedPlatform {
  /** Points services at the stack. */
  environment: StackEnvironment;
  registry: ServiceRegistry;
  /** Removes what is its own, and stops the stack if it was not running before. */
  stopStack(): Promise<void>;
}

export interface PrepareOptions {
  /** Throws what speaks against starting, before anything is started. */
  check?: () => Promise<void>;
  /** A database and topics of its own, instead of the stack's. */
  own?: boolean;
}

/**
 * All that services need before they can start: stack, migrations, topics, their bundles. Ends services left behind.
 */
export async function preparePlatform(
  say: (line: string) => void,
  { check, own = false }: PrepareOptions = {},
): Promise<PreparedPlatform> {
  const wasRunning = (await stackStatus()).some(({ state }) => state === 'running');
  const registry = new ServiceRegistry(stackDir());
  const left = await registry.endAbandoned();
  if (left.length > 0) say(`services of an earlier start: ended ${left.join(', ')}`);
  await check?.();
  let removeOwn: (() => Promise<void>) | undefined;
  const stop = async () => {
    await removeOwn?.();
    if (!wasRunning) await stopStack({ progress: say });
  };
  try {
    const stack = await ensureStack({ progress: say });
    const { environment, remove }: Partial<OwnEnvironment> & { environment: StackEnvironment } = own
      ? await ownEnvironment(stack)
      : { environment: stack };
    removeOwn = remove;
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
