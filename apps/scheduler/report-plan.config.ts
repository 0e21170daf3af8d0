import { Env } from '@delivery/platform/config';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';

/** Which reports are planned, and what is frozen in each of them. */
export class ReportPlanConfig {
  @Env({
    name: 'SCHEDULER_REPORTS_SECONDS',
    description: 'Seconds between looks for reports that can be made.',
    default: '15',
  })
  @IsInt()
  @Min(1)
  @Max(300)
  everySeconds: number;

  @Env({
    name: 'REPORT_ROWS_PER_SHARD',
    description: 'Rows of a file of a report, at most; what exceeds them is in further files.',
    default: '1000000',
  })
  @IsInt()
  @Min(1)
  @Max(100_000_000)
  rowsPerShard: number;

  @Env({
    name: 'REPORT_ESCAPE_FORMULAS',
    description:
      'Begin texts in reports that a spreadsheet would take for a formula with an apostrophe; programs then read it, too.',
    default: 'false',
  })
  @IsBoolean()
  escapeFormulas: boolean;

  @Env({
    name: 'DOWNLOAD_ACCESS_RETENTION_DAYS',
    description: 'Days after which rows of the log of downloads are removed; it has addresses of people.',
    default: '400',
  })
  @IsInt()
  @Min(1)
  @Max(36_500)
  accessRetentionDays: number;
}
