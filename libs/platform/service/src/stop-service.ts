import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceParts } from './service.module';

/** What there is to stop; filled while starting, so that a failed start is undone too. */
export interface Started {
  readonly parts: ServiceParts;
  readonly graceMs: number;
  app?: NestFastifyApplication;
  strategies: readonly CustomTransportStrategy[];
}

/**
 * Stops a service, in the one order that loses nothing a client was promised: whoever sends work learns first
 * (readiness), then intake stops, then requests in hand are answered, and only then what they use is closed.
 * Never rejects: a step that fails is logged and the next one runs.
 */
export async function stopService({ app, parts, strategies, graceMs }: Started): Promise<void> {
  const logger = new Logger('Stop');
  const attempt = async (what: string, step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      logger.error({ err: error, step: what }, 'a stop step failed');
    }
  };
  parts.health.become('stopping');
  if (graceMs > 0) await delay(graceMs);
  await Promise.all([
    parts.lifecycle.stopIntake(),
    ...strategies.map((strategy) => attempt('transport', async () => strategy.close())),
  ]);
  if (app !== undefined) await attempt('http', async () => app.getHttpAdapter().close());
  await parts.lifecycle.close();
  // Runs the modules' own onModuleDestroy hooks; HTTP and transports are closed already.
  if (app !== undefined) await attempt('modules', () => app.close());
  parts.metrics.registry.clear();
}
