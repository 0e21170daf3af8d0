import { DEFAULT_RETRY_SCHEDULE } from '@delivery/exports/domain';
import { Env, Section } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';
import { HttpConfig, LogConfig } from '@delivery/platform/service';
import { TracingConfig } from '@delivery/platform/tracing';
import { IsInt, Max, Min } from 'class-validator';
import { ReportPlanConfig } from './report-plan.config';

/** When the scheduler looks, and how patient it is. */
export class SchedulerConfig {
  @Env({
    name: 'SCHEDULER_TICK_SECONDS',
    description: 'Seconds between looks at due times, leases, nudges and changes.',
    default: '5',
  })
  @IsInt()
  @Min(1)
  @Max(300)
  tickSeconds: number;

  @Env({
    name: 'SCHEDULER_MAX_WAIT_SECONDS',
    description:
      'Seconds that a due run waits for the recorder to pass its due time; then it is planned with what is recorded.',
    default: '3600',
  })
  @IsInt()
  @Min(0)
  @Max(86_400)
  maxWaitSeconds: number;

  @Env({
    name: 'SCHEDULER_NUDGE_SECONDS',
    description: 'Seconds after which a run that nobody has claimed is announced to the exporters again.',
    default: '30',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  nudgeSeconds: number;

  @Env({
    name: 'SCHEDULER_STALLED_SECONDS',
    description: 'Seconds that a task may be late, or fail again and again, until the process is unready.',
    default: '60',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  stalledSeconds: number;

  @Env({
    name: 'SCHEDULER_BACKLOG_SECONDS',
    description: 'Seconds between looks at what is late, for the gauges that tell of the platform as a whole.',
    default: '15',
  })
  @IsInt()
  @Min(1)
  @Max(300)
  backlogSeconds: number;

  @Env({
    name: 'EXPORT_MAX_TRIES',
    description: 'Times a run is tried whose exporters disappear; the same as that of the exporters.',
    default: String(DEFAULT_RETRY_SCHEDULE.maxTries),
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  maxTries: number;

  @Section(ReportPlanConfig)
  reports: ReportPlanConfig;
}

export class SchedulerAppConfig {
  @Section(HttpConfig, { defaults: { HTTP_PORT: '8082' } })
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(TracingConfig)
  tracing: TracingConfig;

  @Section(PostgresConfig, { defaults: { DATABASE_ROLE: 'delivery_scheduler', DATABASE_POOL_SIZE: '5' } })
  postgres: PostgresConfig;

  @Section(KafkaConfig, { defaults: { KAFKA_CLIENT_ID: 'scheduler' } })
  kafka: KafkaConfig;

  @Section(SchedulerConfig)
  scheduler: SchedulerConfig;
}
