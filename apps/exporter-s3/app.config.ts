import { ExporterConfig } from '@delivery/exports/engine';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { SigningConfig } from '@delivery/platform/secrets';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';

const SERVER = /^https?:\/\/[^/?#@]+\/?$/;

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
    name: 'AWS_ACCESS_KEY_ID',
    description: 'Access key for a local S3 server; on AWS leave it out, and the identity of the process is used.',
  })
  @IsOptional()
  @IsNotEmpty()
  accessKeyId?: string;

  @Env({ name: 'AWS_SECRET_ACCESS_KEY', description: 'The secret of AWS_ACCESS_KEY_ID.', secret: true })
  @ValidateIf((config: S3Config) => config.accessKeyId !== undefined)
  @IsNotEmpty()
  secretAccessKey?: string;

  @Env({
    name: 'S3_ENDPOINT',
    description: 'URL of another S3 server than AWS; keys are then addressed by path.',
    example: 'http://127.0.0.1:19000',
  })
  @IsOptional()
  @Matches(SERVER, { message: 'must be the URL of a server' })
  endpoint?: string;

  @Env({
    name: 'S3_REQUEST_SECONDS',
    description: 'Seconds that one request may take as a whole; a part of 5 MiB has to arrive within them.',
    default: '120',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  requestSeconds: number;
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
