import { Env } from '@delivery/platform/config';
import { IsInt, Max, Min } from 'class-validator';

/** How one process makes reports, and how long they are kept. */
export class ReportsConfig {
  @Env({
    name: 'REPORT_PARALLEL',
    description: 'Reports that one process makes at once; each takes about 30 MB and a connection to Postgres.',
    default: '2',
  })
  @IsInt()
  @Min(1)
  @Max(64)
  parallel: number;

  @Env({
    name: 'REPORT_LEASE_SECONDS',
    description: 'Seconds after which another process makes a report when this one shows no sign of life.',
    default: '60',
  })
  @IsInt()
  @Min(2)
  @Max(3600)
  leaseSeconds: number;

  @Env({
    name: 'REPORT_POLL_SECONDS',
    description: 'Seconds between looks for reports that no message told of.',
    default: '15',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  pollSeconds: number;

  @Env({
    name: 'REPORT_RETRY_BASE_SECONDS',
    description: 'Seconds before a report that failed is made again, at most; doubles with every further attempt.',
    default: '10',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  retryBaseSeconds: number;

  @Env({
    name: 'REPORT_RETRY_CAP_SECONDS',
    description: 'Seconds between two attempts, at most. A report is attempted until it is published.',
    default: '300',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  retryCapSeconds: number;

  @Env({
    name: 'REPORT_RETENTION_DAYS',
    description: 'Days after which the files of a published report are removed.',
    default: '400',
  })
  @IsInt()
  @Min(1)
  @Max(36_500)
  retentionDays: number;
}
