import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { join } from 'node:path';
import { migrateAll } from '../migrate/migrate-all';
import { ensureStack, stackDir, type StackEnvironment } from '../stack';
import { freePort } from '../stack/ports';
import { ensureAllTopics, TopicsConfig } from '../topics/ensure-all-topics';
import { ServiceRegistry } from './registry';
import { buildServices } from './service-process';
import { type ServiceName, serviceNames, servicePort } from './services';
import { Supervisor } from './supervisor';

export interface Platform {
  environment: StackEnvironment;
  supervisor: Supervisor;
}

/** The stack with migrations and topics, and all services in front of it. */
export async function startPlatform(say: (line: string) => void): Promise<Platform> {
  const environment = await ensureStack({ progress: say });
  const applied = await migrateAll(loadConfig(PostgresConfig, environment), () => undefined);
  const topics = await ensureAllTopics(loadConfig(KafkaConfig, environment), loadConfig(TopicsConfig, environment));
  say(`database: ${applied.length} migrations applied; topics: ${topics.length} created`);
  say('services: building');
  buildServices(serviceNames);
  const registry = new ServiceRegistry(stackDir());
  await registry.endAbandoned();
  const supervisor = new Supervisor({
    environment: { ...environment, LOG_LEVEL: 'warn' },
    logs: join(stackDir(), 'logs'),
    say,
    onChange: (running) => registry.note(running),
  });
  const ports = new Map<ServiceName, number>();
  for (const name of serviceNames) ports.set(name, await freePort(servicePort(name)));
  await supervisor.start(ports);
  return { environment, supervisor };
}
