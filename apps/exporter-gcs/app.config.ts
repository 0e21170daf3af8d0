import { GcsEndpoint } from '@delivery/destinations/config';
import { ExporterConfig } from '@delivery/exports/engine';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { SecretsConfig, SigningConfig } from '@delivery/platform/secrets';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { IsInt, Max, Min } from 'class-validator';

/** Where the buckets are. The credentials are each integration's own. */
export class GcsConfig {
  @GcsEndpoint()
  endpoint?: string;

  @Env({
    name: 'GCS_REQUEST_SECONDS',
    description: 'Seconds that one request may take as a whole; a part of 8 MiB has to arrive within them.',
    default: '120',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  requestSeconds: number;
}

export class ExporterGcsConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8084' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_exporter' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'exporter-gcs' } })
  kafka: KafkaConfig;

  @Section(SigningConfig)
  signing: SigningConfig;

  @Section(SecretsConfig)
  secrets: SecretsConfig;

  @Section(ExporterConfig)
  exporter: ExporterConfig;

  @Section(GcsConfig)
  gcs: GcsConfig;
}
