import { ConfigError, loadConfig } from '@delivery/platform/config';
import { type Logger as PinoLogger } from 'pino';
import { type RunningService, startService } from './boot-service';
import { createLogger } from './logger';
import { releaseStartupMemory, tolerateBuffers } from './memory';
import type { ServiceConfig, ServiceDefinition } from './service-definition';

/**
 * The whole of a service's `main.ts`: loads the configuration, starts, and stops on SIGTERM or SIGINT.
 *
 * Exit codes: 0 after a stop that was asked for; 78 when the configuration is wrong (all faults on standard error);
 * 1 when it could not start, did not stop in time, or met an error that nothing caught.
 */
export async function runService<C extends ServiceConfig>(definition: ServiceDefinition<C>): Promise<void> {
  tolerateBuffers();
  const config = loadOrExit(definition);
  const logger = createLogger(definition.name, config.log.level);
  exitOnUncaught(logger);
  const stop = stopOnSignals(logger, config.http.shutdownTimeoutMs);
  const began = performance.now();
  try {
    const service = await startService(definition, config);
    logger.info({ url: service.url, duration_ms: Math.round(performance.now() - began) }, 'the service is ready');
    stop.arm(service);
    releaseStartupMemory();
  } catch (error) {
    logger.fatal({ err: error }, 'the service could not start');
    process.exit(1);
  }
}

function loadOrExit<C extends ServiceConfig>(definition: ServiceDefinition<C>): C {
  try {
    return loadConfig(definition.config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${definition.name}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
}

/** After an error nobody caught, what is in memory cannot be trusted: say so and let the restart begin clean. */
function exitOnUncaught(logger: PinoLogger): void {
  const die = (message: string) => (error: unknown) => {
    logger.fatal({ err: error }, message);
    process.exit(1);
  };
  process.on('uncaughtException', die('an exception was not caught'));
  process.on('unhandledRejection', die('a rejection was not handled'));
}

/** The first signal stops, also when it comes while still starting; every further one is only logged. */
function stopOnSignals(logger: PinoLogger, timeoutMs: number): { arm(service: RunningService): void } {
  let running: RunningService | undefined;
  let asked = false;
  const stop = (service: RunningService) =>
    void service.stop().then(() => {
      logger.info('the service has stopped');
      process.exit(0);
    });
  const onSignal = (signal: NodeJS.Signals) => {
    logger.info({ signal, repeated: asked }, 'a stop was asked for');
    if (asked) return;
    asked = true;
    setTimeout(() => {
      logger.fatal({ timeout_ms: timeoutMs }, 'the stop took too long and was cut short');
      process.exit(1);
    }, timeoutMs).unref();
    if (running !== undefined) stop(running);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    arm(service) {
      running = service;
      if (asked) stop(service);
    },
  };
}
