import { DEFAULT_RETRY_SCHEDULE } from '@delivery/exports/domain';
import { Env } from '@delivery/platform/config';
import { IsInt, Max, Min } from 'class-validator';

/** How one exporter works. */
export class ExporterConfig {
  @Env({
    name: 'EXPORT_PARALLEL_RUNS',
    description: 'Runs that one process executes at once; each takes about 40 MB and a connection to Postgres.',
    default: '2',
  })
  @IsInt()
  @Min(1)
  @Max(64)
  parallelRuns: number;

  @Env({
    name: 'EXPORT_PARALLEL_RUNS_PER_ORGANIZATION',
    description: 'Runs of one organization that all exporters together execute at once.',
    default: '2',
  })
  @IsInt()
  @Min(1)
  @Max(64)
  parallelRunsPerOrganization: number;

  @Env({
    name: 'EXPORT_LEASE_SECONDS',
    description: 'Seconds after which a run is given to another exporter when this one shows no sign of life.',
    default: '60',
  })
  @IsInt()
  @Min(2)
  @Max(3600)
  leaseSeconds: number;

  @Env({
    name: 'EXPORT_POLL_SECONDS',
    description: 'Seconds between looks for runs that no message told of.',
    default: '30',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  pollSeconds: number;

  @Env({
    name: 'EXPORT_UNCLAIMED_SECONDS',
    description: 'Seconds that a run may lie, while this process has a slot for it, until the process is unready.',
    default: '120',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  unclaimedSeconds: number;

  @Env({
    name: 'EXPORT_MAX_TRIES',
    description: 'Times a run is tried that fails in a way which passes; then it fails for good, until it is retried.',
    default: String(DEFAULT_RETRY_SCHEDULE.maxTries),
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  maxTries: number;

  @Env({
    name: 'EXPORT_RETRY_BASE_SECONDS',
    description: 'Seconds before the second try, at most; doubles with every further one.',
    default: String(DEFAULT_RETRY_SCHEDULE.baseSeconds),
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  retryBaseSeconds: number;

  @Env({
    name: 'EXPORT_RETRY_CAP_SECONDS',
    description: 'Seconds between two tries, at most.',
    default: String(DEFAULT_RETRY_SCHEDULE.capSeconds),
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  retryCapSeconds: number;
}
