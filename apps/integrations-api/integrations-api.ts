import type { ServiceDefinition } from '@delivery/platform/service';
import { IntegrationsApiConfig } from './app.config';
import { AppModule } from './app.module';

export const integrationsApi: ServiceDefinition<IntegrationsApiConfig> = {
  name: 'integrations-api',
  config: IntegrationsApiConfig,
  module: (config) => AppModule.register(config),
  openApi: {
    title: 'Integrations API',
    description:
      'Exports of consents into your own cloud: create integrations, follow and repeat their runs. Sign in with ' +
      '`POST /v1/sessions` and send the access token as `Authorization: Bearer <token>`. Requests are limited to 100 in ' +
      '15 seconds per organization; the RateLimit headers tell how many are left.',
    version: '1',
    customize: (builder) => builder.addBearerAuth().addServer('http://127.0.0.1:8080', 'npm start'),
  },
};
