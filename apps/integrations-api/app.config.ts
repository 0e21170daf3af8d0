import { AuthConfig } from '@delivery/platform/auth';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { SecretsConfig } from '@delivery/platform/secrets';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { IsInt, Max, Min } from 'class-validator';
import { CustomerBucketConfig, PlatformBucketConfig } from './buckets/bucket.config';

/** What an organization may have (contracts.md §1.2). */
export class QuotaConfig {
  @Env({
    name: 'QUOTA_EXPORTS_CONFIGS',
    description: 'How many export integrations of one organization may be enabled at a time.',
    default: '3',
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  exportsConfigs: number;
}

export class IntegrationsApiConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8080' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  // Requests only: whoever waits longer has gone.
  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_control', DATABASE_STATEMENT_TIMEOUT_MS: '10000' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'integrations-api' } })
  kafka: KafkaConfig;

  @Section(SecretsConfig)
  secrets: SecretsConfig;

  @Section(AuthConfig)
  auth: AuthConfig;

  @Section(PlatformBucketConfig)
  platformBuckets: PlatformBucketConfig;

  @Section(CustomerBucketConfig)
  customerBuckets: CustomerBucketConfig;

  @Section(QuotaConfig)
  quota: QuotaConfig;
}
