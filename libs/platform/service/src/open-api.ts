import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { HealthChecks } from './health-checks';
import { Lifecycle } from './lifecycle';
import { Metrics } from './metrics';
import { metricsOf, type OpenApiOptions, type ServiceConfig, type ServiceDefinition } from './service-definition';
import { ServiceModule } from './service.module';

/** Serves the API reference: `/docs` (page) and `/docs-json`. The document is built when first asked for. */
export async function serveOpenApi(app: INestApplication, options: OpenApiOptions): Promise<void> {
  // Loaded here only: services without an API should not hold the reference's code in memory.
  const { SwaggerModule } = await import('@nestjs/swagger');
  const document = await describe(app, options);
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: options.title,
  });
}

/**
 * The OpenAPI document of a service, for the generated reference. Only the wiring is read: no provider is built,
 * nothing is connected, so any configuration of the right shape will do.
 */
export async function buildOpenApi<C extends ServiceConfig>(
  definition: ServiceDefinition<C>,
  config: C,
): Promise<OpenAPIObject> {
  if (definition.openApi === undefined) throw new Error(`${definition.name} has no API to describe`);
  const parts = { health: new HealthChecks(), metrics: new Metrics(metricsOf(definition)), lifecycle: new Lifecycle() };
  const module = ServiceModule.register(parts, definition.module(config));
  const app = await NestFactory.create(module, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  try {
    return (await describe(app, definition.openApi))();
  } finally {
    await app.close();
  }
}

async function describe(app: INestApplication, options: OpenApiOptions): Promise<() => OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const builder = new DocumentBuilder()
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion(options.version);
  const described = (options.customize?.(builder) ?? builder).build();
  return () => {
    const document = SwaggerModule.createDocument(app, described);
    const schemas = Object.assign({}, document.components?.schemas, options.schemas);
    return { ...document, components: { ...document.components, schemas } };
  };
}
