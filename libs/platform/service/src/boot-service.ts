import { loadConfig } from '@delivery/platform/config';
import { startTracing } from '@delivery/platform/tracing';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DestinationStream } from 'pino';
import { ServiceError } from './errors';
import { HealthChecks } from './health-checks';
import { addSystemRoutes, createHttpAdapter } from './http';
import type { HttpConfig } from './http.config';
import { Lifecycle } from './lifecycle';
import { createLogger, NestLogger } from './logger';
import { Metrics } from './metrics';
import { serveOpenApi } from './open-api';
import { metricsOf, type ServiceConfig, type ServiceDefinition } from './service-definition';
import { ServiceModule } from './service.module';
import { type Started, stopService } from './stop-service';

/** A service that is up. */
export interface RunningService {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Stops in the order of {@link Lifecycle}. Repeated calls wait for the same stop. */
  stop(): Promise<void>;
}

export interface BootOptions {
  /** Where log lines go; standard output by default. */
  readonly logs?: DestinationStream;
}

/**
 * Starts a service inside this process, as tests do: no process handlers, any number side by side.
 * (Nest's `Logger` is one per process: lines of all of them go to the service booted last.)
 *
 * @param env - its configuration; `HTTP_PORT` 0 and `LOG_LEVEL` warn unless given
 * @throws ConfigError, or whatever the module threw while it was built; nothing is left running then
 */
export async function bootService<C extends ServiceConfig>(
  definition: ServiceDefinition<C>,
  env: NodeJS.ProcessEnv = process.env,
  options: BootOptions = {},
): Promise<RunningService> {
  const config = loadConfig(definition.config, { HTTP_PORT: '0', LOG_LEVEL: 'warn', ...env });
  return startService(definition, config, options);
}

/** Starts a service with a configuration that has been loaded. */
export async function startService<C extends ServiceConfig>(
  definition: ServiceDefinition<C>,
  config: C,
  options: BootOptions = {},
): Promise<RunningService> {
  const logger = new NestLogger(createLogger(definition.name, config.log.level, options.logs));
  Logger.overrideLogger(logger);
  const parts = { health: new HealthChecks(), metrics: new Metrics(metricsOf(definition)), lifecycle: new Lifecycle() };
  const started: Started = { parts, strategies: [], graceMs: config.http.shutdownGraceMs };
  try {
    await trace(definition, config, parts.lifecycle);
    const app = await buildApp(definition, config, logger, started);
    const url = await listen(app, config.http);
    await app.startAllMicroservices();
    parts.health.become('ready');
    let stopping: Promise<void> | undefined;
    return { url, app, stop: () => (stopping ??= stopService(started)) };
  } catch (error) {
    // What was opened before the failure would keep the process (or the test) alive.
    await stopService({ ...started, graceMs: 0 });
    throw error;
  }
}

async function buildApp<C extends ServiceConfig>(
  definition: ServiceDefinition<C>,
  config: C,
  logger: NestLogger,
  started: Started,
): Promise<NestFastifyApplication> {
  const module = ServiceModule.register(started.parts, definition.module(config));
  const adapter = createHttpAdapter(config.http, started.parts.metrics);
  // Fastify parses JSON itself (and refuses __proto__); Nest's parsers would add forms, which no contract has.
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger,
  });
  started.app = app;
  started.parts.metrics.collectProcessMetrics();
  addSystemRoutes(app.getHttpAdapter().getInstance(), started.parts);
  if (definition.openApi !== undefined) await serveOpenApi(app, definition.openApi);
  started.strategies = definition.microservices?.(app, config) ?? [];
  for (const strategy of started.strategies) app.connectMicroservice({ strategy });
  return app;
}

/** Before anything is made that would be traced; ended last, when no span can come any more. */
async function trace<C extends ServiceConfig>(
  { name }: ServiceDefinition<C>,
  { tracing }: C,
  lifecycle: Lifecycle,
): Promise<void> {
  const logger = new Logger('tracing');
  const warn = (reason: string): void => logger.warn({ reason }, 'traces do not reach the collector');
  const stop = tracing && (await startTracing(name, tracing, warn));
  if (stop !== undefined) lifecycle.onClose(stop, 'tracing');
}

async function listen(app: NestFastifyApplication, http: HttpConfig): Promise<string> {
  try {
    await app.listen({ port: http.port, host: http.host });
  } catch (error) {
    throw listenError(error, http);
  }
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : http.port;
  const host = http.host === '0.0.0.0' || http.host === '::' ? '127.0.0.1' : http.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenError(error: unknown, { host, port }: HttpConfig): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const where = `${host}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new ServiceError(
        'address_in_use',
        `${where} is taken by another process: stop it, or set HTTP_PORT to a free port`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ServiceError(
        'address_not_available',
        `this machine has no address ${host}: set HTTP_HOST to 127.0.0.1, 0.0.0.0 or one of its addresses`,
        { cause: error },
      );
    case 'EACCES':
      return new ServiceError('not_permitted', `not allowed to listen on ${where}: set HTTP_PORT above 1023`, {
        cause: error,
      });
    default:
      return error;
  }
}
