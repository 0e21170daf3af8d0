import { AnalyticsKeyStore, migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { AuthModule } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { parseNamedKeys } from '@delivery/platform/secrets';
import { databaseMetrics, Lifecycle, provideDatabase, type ServiceDefinition } from '@delivery/platform/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { DownloadGatewayConfig } from './app.config';
import { AccessLog } from './downloads/access-log';
import { DownloadsController } from './downloads/downloads.controller';
import { FilesController } from './downloads/files.controller';
import { ReportLinks } from './links/report-links';

const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

@Module({})
class ResourcesModule {
  static register(config: DownloadGatewayConfig): DynamicModule {
    return {
      module: ResourcesModule,
      global: true,
      providers: [provideDatabase(config.postgres, { applicationName: 'download-gateway', migrations })],
      exports: [Database],
    };
  }
}

@Module({})
export class AppModule {
  static register(config: DownloadGatewayConfig): DynamicModule {
    const { downloads, reportStore } = config;
    return {
      module: AppModule,
      imports: [
        ResourcesModule.register(config),
        AuthModule.register({
          lookup: { inject: [Database], useFactory: (database: Database) => new AnalyticsKeyStore(database) },
          rateLimit: { points: downloads.requestLimit, seconds: 15, exempt: () => false },
        }),
      ],
      controllers: [DownloadsController, FilesController],
      providers: [
        {
          provide: AccessLog,
          inject: [Database, Lifecycle],
          useFactory: (database: Database, lifecycle: Lifecycle) => {
            const log = new AccessLog(database);
            lifecycle.onClose(() => log.idle(), 'access log');
            return log;
          },
        },
        {
          provide: ReportLinks,
          inject: [Lifecycle],
          useFactory: async (lifecycle: Lifecycle) => {
            const { publicUrl, linkSeconds: seconds, signingKeys } = downloads;
            const keys = parseNamedKeys(signingKeys);
            const links = await ReportLinks.open({ store: reportStore, publicUrl, keys, seconds });
            lifecycle.onClose(() => links.close(), 'links');
            return links;
          },
        },
      ],
    };
  }
}

export const definition: ServiceDefinition<DownloadGatewayConfig> = {
  name: 'download-gateway',
  config: DownloadGatewayConfig,
  module: (config) => AppModule.register(config),
  metrics: [...databaseMetrics],
  openApi: {
    title: 'Analytics downloads',
    description:
      'Reports on interactions with consent banners, and on decisions, as CSV files. Send the key of your analytics id ' +
      'as `x-api-key`, or as `apiKey` in the query.',
    version: '2',
    customize: (builder) =>
      builder
        .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'x-api-key')
        .addServer('http://127.0.0.1:8086', 'npm start'),
  },
};
