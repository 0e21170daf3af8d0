import { RecorderConfig } from '@delivery/ingest/recorder';
import { AuthConfig } from '@delivery/platform/auth';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { ArrayNotEmpty, IsIn, IsInt, Max, Min } from 'class-validator';

/** What this process does of the service's work. */
export class IngestConfig {
  @Env({
    name: 'INGEST_ROLES',
    description: 'What this process does: accept (REST to Kafka), record (Kafka to Postgres), or both.',
    default: 'accept,record',
    example: 'record',
  })
  @ArrayNotEmpty()
  @IsIn(['accept', 'record'], { each: true })
  roles: string[];

  @Env({
    name: 'INGEST_ANSWER_WAIT_MS',
    description: 'Milliseconds a single event waits to be answered as recorded; then it is answered as accepted.',
    default: '2000',
  })
  @IsInt()
  @Min(0)
  @Max(30_000)
  answerWaitMs: number;
}

export class ConsentIngestConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8081', HTTP_BODY_LIMIT_BYTES: '10485760' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_ingest' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'consent-ingest' } })
  kafka: KafkaConfig;

  @Section(AuthConfig)
  auth: AuthConfig;

  @Section(IngestConfig)
  ingest: IngestConfig;

  @Section(RecorderConfig)
  recorder: RecorderConfig;
}
