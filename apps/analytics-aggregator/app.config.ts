import { ReportStoreConfig } from '@delivery/analytics/reports';
import { RecorderConfig } from '@delivery/ingest/recorder';
import { Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { SigningConfig } from '@delivery/platform/secrets';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { AggregatorConfig } from './aggregator.config';
import { ReportsConfig } from './reports/reports.config';

export class AggregatorAppConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8085' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_aggregator' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'analytics-aggregator' } })
  kafka: KafkaConfig;

  // The more interactions are counted at once, the fewer rows they are counted into.
  @Section(RecorderConfig, { defaults: { INGEST_BATCH_SIZE: '5000' } })
  recorder: RecorderConfig;

  @Section(AggregatorConfig)
  aggregator: AggregatorConfig;

  @Section(SigningConfig)
  signing: SigningConfig;

  @Section(ReportsConfig)
  reports: ReportsConfig;

  @Section(ReportStoreConfig)
  reportStore: ReportStoreConfig;
}
