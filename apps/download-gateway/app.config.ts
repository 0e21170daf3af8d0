import { ReportStoreConfig } from '@delivery/analytics/reports';
import { Section } from '@delivery/platform/config';
import { PostgresConfig } from '@delivery/platform/postgres';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { DownloadConfig } from './downloads/download.config';

export class DownloadGatewayConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8086' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  // Requests only: whoever waits longer has gone.
  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_gateway', DATABASE_STATEMENT_TIMEOUT_MS: '10000' } })
  postgres: PostgresConfig;

  @Section(ReportStoreConfig)
  reportStore: ReportStoreConfig;

  @Section(DownloadConfig)
  downloads: DownloadConfig;
}
