import { ApiKeyStore } from '@delivery/integrations/store';
import { AuthModule } from '@delivery/platform/auth';
import { databaseMetrics, kafkaMetrics, type ServiceDefinition } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { AnalyticsModule } from './analytics/analytics.module';
import { IntegrationsApiConfig } from './app.config';
import { ExportsModule } from './exports/exports.module';
import { IntegrationsModule } from './integrations/integrations.module';
import { KeysController } from './keys/keys.controller';
import { OrganizationsController } from './organizations/organizations.controller';
import { StoresModule } from './stores.module';

/** The control plane: who may deliver what, where and when, and what came of it. No pipeline code. */
@Module({})
export class AppModule {
  static register(config: IntegrationsApiConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        StoresModule.register(config.postgres),
        AuthModule.register({
          config: config.auth,
          lookup: { inject: [ApiKeyStore], useFactory: (keys: ApiKeyStore) => keys },
        }),
        IntegrationsModule.register(config),
        ExportsModule.register(config.kafka),
        AnalyticsModule,
      ],
      controllers: [KeysController, OrganizationsController],
    };
  }
}

export const definition: ServiceDefinition<IntegrationsApiConfig> = {
  name: 'integrations-api',
  config: IntegrationsApiConfig,
  module: (config) => AppModule.register(config),
  metrics: [...databaseMetrics, ...kafkaMetrics],
  openApi: {
    title: 'Integrations API',
    description:
      'Exports of consents into your own cloud: create integrations, follow and repeat their runs. Reports of analytics: ' +
      'say which are made, and who may download them. Sign in with ' +
      '`POST /v1/sessions` and send the access token as `Authorization: Bearer <token>`; the API key itself, ' +
      '`<id>.<secret>`, is taken there too. Requests are limited to 100 in ' +
      '15 seconds per organization; the RateLimit headers tell how many are left.',
    version: '1',
    customize: (builder) => builder.addBearerAuth().addServer('http://127.0.0.1:8080', 'npm start'),
  },
};
