import type { ConfigClass } from '@delivery/platform/config';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import type { TracingConfig } from '@delivery/platform/tracing';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { DocumentBuilder } from '@nestjs/swagger';
import type { HttpConfig } from './http.config';
import type { LogConfig } from './log.config';
import type { MetricSpec } from './metric-specs';
import { baseMetrics } from './service-metrics';

/** What every service's configuration has; apps add their own concerns beside these. */
export interface ServiceConfig {
  http: HttpConfig;
  log: LogConfig;
  /** Left out by a service that is never traced. */
  tracing?: TracingConfig;
}

/** The API reference at `/docs` (page) and `/docs-json` (OpenAPI). */
export interface OpenApiOptions {
  readonly title: string;
  readonly description: string;
  /** Version of the API, not of the program. */
  readonly version: string;
  /** Adds security schemes, tags and servers. */
  readonly customize?: (builder: DocumentBuilder) => DocumentBuilder;
  /** Schemas by the name that `#/components/schemas/<name>` refers to, for bodies that no decorated class describes. */
  readonly schemas?: Readonly<Record<string, object>>;
}

/** All that distinguishes one service from another. */
export interface ServiceDefinition<C extends ServiceConfig> {
  /** As in the folder's name: `exporter-s3`. In every log line. */
  readonly name: string;
  readonly config: ConfigClass<C>;
  readonly module: (config: C) => DynamicModule | Type;
  /** Beside {@link baseMetrics}, all that the service's parts ask for. */
  readonly metrics?: readonly MetricSpec[];
  /** Leave out for a service without an API of its own: nothing of it is loaded then. */
  readonly openApi?: OpenApiOptions;
  /**
   * Nest transports whose handlers are the module's `@EventPattern` methods. Started after HTTP listens, closed when
   * intake stops; `close` is called twice and must bear that.
   */
  readonly microservices?: (app: INestApplication, config: C) => readonly CustomTransportStrategy[];
}

/** Every metric that a service shows, beside those of its process. */
export function metricsOf(definition: Pick<ServiceDefinition<ServiceConfig>, 'metrics'>): readonly MetricSpec[] {
  return [...baseMetrics, ...(definition.metrics ?? [])];
}
