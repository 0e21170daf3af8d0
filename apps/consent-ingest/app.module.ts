import { migrations as consent } from '@delivery/consent/store';
import { provideRecorder, recorderMetricSpecs } from '@delivery/ingest/recorder';
import { migrations as ingest } from '@delivery/ingest/store';
import { ApiKeyStore, entities, migrations as integrations } from '@delivery/integrations/store';
import { AuthModule } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import {
  databaseMetrics,
  kafkaMetrics,
  provideDatabase,
  provideKafka,
  type ServiceDefinition,
} from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { openApiSchemas } from './accept/open-api-schemas';
import { EventsController } from './accept/events.controller';
import { eventIntake, interactionIntake } from './accept/intakes';
import { InteractionsController } from './accept/interactions.controller';
import { UsersController } from './accept/users.controller';
import { ConsentIngestConfig, IngestConfig } from './app.config';
import { consentRecording } from './record/consent-recording';

const migrations = [...ingest, ...consent, ...integrations];

@Module({})
class ResourcesModule {
  static register(config: ConsentIngestConfig): DynamicModule {
    return {
      module: ResourcesModule,
      global: true,
      providers: [
        provideDatabase(config.postgres, { applicationName: 'consent-ingest', entities, migrations }),
        provideKafka(config.kafka),
        { provide: IngestConfig, useValue: config.ingest },
        { provide: ApiKeyStore, inject: [Database], useFactory: (database: Database) => new ApiKeyStore(database) },
      ],
      exports: [Database, provideKafka(config.kafka).provide, IngestConfig, ApiKeyStore],
    };
  }
}

@Module({})
export class AppModule {
  static register(config: ConsentIngestConfig): DynamicModule {
    const accept = config.ingest.roles.includes('accept');
    const record = config.ingest.roles.includes('record');
    return {
      module: AppModule,
      imports: [
        ResourcesModule.register(config),
        AuthModule.register({
          config: config.auth,
          lookup: { inject: [ApiKeyStore], useFactory: (keys: ApiKeyStore) => keys },
        }),
      ],
      controllers: accept ? [EventsController, InteractionsController, UsersController] : [],
      providers: record ? [provideRecorder(config.recorder, consentRecording)] : [],
    };
  }
}

export const definition: ServiceDefinition<ConsentIngestConfig> = {
  name: 'consent-ingest',
  config: ConsentIngestConfig,
  module: (config) => AppModule.register(config),
  metrics: [
    ...databaseMetrics,
    ...kafkaMetrics,
    eventIntake.received,
    interactionIntake.received,
    ...recorderMetricSpecs,
  ],
  openApi: {
    title: 'Consents API',
    description:
      'Collects consent events and interactions with banners, and tells the consent status of users. Sign in with `POST /v1/sessions` and send the ' +
      'access token as `Authorization: Bearer <token>`, or send the API key as `x-api-key`.',
    version: '1',
    customize: (builder) =>
      builder
        .setOpenAPIVersion('3.1.0')
        .addBearerAuth()
        .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'x-api-key')
        .addServer('http://127.0.0.1:8081', 'npm start'),
    schemas: openApiSchemas,
  },
};
