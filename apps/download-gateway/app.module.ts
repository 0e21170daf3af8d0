import { AnalyticsKeyStore, migrations as analytics } from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { AuthModule } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { parseNamedKeys } from '@delivery/platform/secrets';
import {
  databaseMetrics,
  Lifecycle,
  Metrics,
  provideDatabase,
  type ServiceDefinition,
} from '@delivery/platform/service';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { DownloadGatewayConfig } from './app.config';
import { AccessLog, accessEndsDropped } from './downloads/access-log';
import { AnswerHooks } from './downloads/answer-hooks';
import { DownloadsController } from './downloads/downloads.controller';
import { FilesController } from './downloads/files.controller';
import { OpenFiles } from './downloads/open-files';
import { Refusals } from './downloads/refusals';
import { ReportLinks } from './links/report-links';

const logger = new Logger('download-gateway');
const migrations = [...ingest, ...consent, ...exports, ...integrations, ...analytics];

/** Whether others can reach the service, but not by its links. */
function leadsNowhere({ http, reportStore, downloads }: DownloadGatewayConfig): boolean {
  const loopback = /^(?:127\.|localhost$|\[?::1\]?$)/;
  return (
    reportStore.kind === 'file' && !loopback.test(http.host) && loopback.test(new URL(downloads.publicUrl).hostname)
  );
}

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
        AnswerHooks,
        {
          provide: AccessLog,
          inject: [Database, Metrics, Lifecycle],
          useFactory: (database: Database, metrics: Metrics, lifecycle: Lifecycle) => {
            const log = new AccessLog({ database, dropped: metrics.counter(accessEndsDropped) });
            lifecycle.onClose(() => log.close(), 'access log');
            return log;
          },
        },
        {
          provide: Refusals,
          inject: [AccessLog, Lifecycle],
          useFactory: (log: AccessLog, lifecycle: Lifecycle) => {
            const refusals = new Refusals(log);
            lifecycle.onClose(() => refusals.close(), 'refusals');
            return refusals;
          },
        },
        {
          provide: OpenFiles,
          useFactory: () => new OpenFiles({ all: downloads.filesAtOnce, ofLink: downloads.filesAtOncePerLink }),
        },
        {
          provide: ReportLinks,
          inject: [Lifecycle],
          useFactory: async (lifecycle: Lifecycle) => {
            const { publicUrl, linkSeconds: seconds, signingKeys } = downloads;
            const keys = parseNamedKeys(signingKeys);
            if (leadsNowhere(config)) {
              logger.warn(
                'DOWNLOAD_PUBLIC_URL is not set: links lead to 127.0.0.1, which is of use on this machine only',
              );
            }
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
  metrics: [...databaseMetrics, accessEndsDropped],
  openApi: {
    title: 'Analytics downloads',
    description:
      'Reports on interactions with consent banners, and on decisions, as CSV files. Send the key of your analytics id ' +
      'as `x-api-key`, or as `apiKey` in the query.',
    version: '2',
    customize: (builder) =>
      builder
        .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'x-api-key')
        .addApiKey({ type: 'apiKey', in: 'query', name: 'apiKey' }, 'apiKey')
        .addServer('/', 'Where this page is')
        .addServer('http://127.0.0.1:8086', 'npm start'),
  },
};
