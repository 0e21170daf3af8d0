import { S3ServerConfig } from '@delivery/destinations/config';
import { ExporterConfig } from '@delivery/exports/engine';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { SigningConfig } from '@delivery/platform/secrets';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { IsInt, IsNotEmpty, IsOptional, Matches, Max, Min } from 'class-validator';

/** Where the buckets are, and who the process is there. */
export class S3Config {
  @Env({ name: 'AWS_REGION', description: 'Region of the buckets that the platform makes.', example: 'eu-west-1' })
  @IsNotEmpty()
  region: string;

  @Env({
    name: 'AWS_ACCOUNT_ID',
    description: "The platform's own AWS account; a bucket of another account is then refused.",
    example: '999999999999',
  })
  @IsOptional()
  @Matches(/^\d{12}$/, { message: 'must be 12 digits' })
  accountId?: string;

  @Env({
    name: 'S3_REQUEST_SECONDS',
    description: 'Seconds that one request may take as a whole; a part of 5 MiB has to arrive within them.',
    default: '120',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  requestSeconds: number;

  @Section(S3ServerConfig)
  s3: S3ServerConfig;
}

export class ExporterS3Config {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8083' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_exporter' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'exporter-s3' } })
  kafka: KafkaConfig;

  @Section(SigningConfig)
  signing: SigningConfig;

  @Section(ExporterConfig)
  exporter: ExporterConfig;

  @Section(S3Config)
  s3: S3Config;
}
